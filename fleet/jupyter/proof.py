"""Proves an environment from outside before its URL is handed out: Jupyter and TensorBoard refuse without the token and
accept with it, under a certificate of the fleet's authority; a cell executed and its answer checked, the GPUs seen.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException

from fleet.errors import ProofError
from fleet.jupyter.http import Answer, Server, request
from fleet.jupyter.kernel import run_cell
from fleet.plan.environment.proofs import Proof
from fleet.plan.ports import TENSORBOARD_PATH

_SECONDS = 15.0
_RETRY_SECONDS = 0.3
_LOGS = "see `journalctl -u {unit}` on the host"

# Two numbers that nobody knows in advance go in, their product and the number of GPUs must come out.
_CELL = """
import subprocess
try:
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, timeout=60).stdout
except FileNotFoundError:
    listed = ""
print({a} * {b}, sum(line.startswith("GPU ") for line in listed.splitlines()))
"""


@dataclass(frozen=True)
class Endpoint:
    """Where an environment's services answer."""

    jupyter: Server
    tensorboard: Server


@dataclass(frozen=True)
class _Service:
    """A service, as it is asked: a page that needs the token, and the unit whose log tells of it."""

    name: str
    server: Server
    path: str
    unit: str

    def ask(self, *, token: str | None, timeout: float = _SECONDS) -> Answer:
        return request(self.server, "GET", self.path, token=token, timeout=timeout)


def _services(endpoint: Endpoint) -> tuple[_Service, _Service]:
    return (
        _Service("Jupyter", endpoint.jupyter, "/api/kernels", "fleet-jupyter"),
        _Service("TensorBoard", endpoint.tensorboard, TENSORBOARD_PATH, "fleet-tensorboard*"),
    )


def prove(
    endpoint: Endpoint,
    *,
    token: str,
    gpus: int,
    now: datetime,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Proof:
    """Prove an environment, waiting until `deadline` (on `clock`) for services that still start. `now` is UTC.

    Raises ProofError that says which promise is not kept.
    """
    jupyter, tensorboard = _services(endpoint)
    accepted = _until_answers(jupyter, token=token, deadline=deadline, clock=clock, sleep=sleep)
    refused = _refused(jupyter)
    shown = _until_answers(tensorboard, token=token, deadline=deadline, clock=clock, sleep=sleep)
    refused_too = _refused(tensorboard)
    # Last: nothing runs on an environment that anybody may enter.
    seen = _run_proof_cell(endpoint.jupyter, token=token, gpus=gpus, deadline=deadline, clock=clock)
    return Proof(
        at=now,
        jupyter_refused=refused,
        jupyter_accepted=accepted.status,
        tensorboard_refused=refused_too,
        tensorboard_accepted=shown.status,
        gpus=seen,
        certified_until=accepted.certified_until,
    )


def prove_token(
    endpoint: Endpoint,
    *,
    token: str,
    old: str,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> None:
    """Prove that both services accept a token and refuse the old one. Raises ProofError."""
    for service in _services(endpoint):
        _until_answers(service, token=token, deadline=deadline, clock=clock, sleep=sleep)
        _refused(service, token=old)


def answers(endpoint: Endpoint, *, token: str, timeout: float) -> bool:
    """Look once whether both services answer with this token, under the certificate that they must have."""
    try:
        found = [
            service.ask(token=token, timeout=timeout).status for service in _services(endpoint)
        ]
    except (OSError, HTTPException):
        return False
    return found == [200, 200]


def _refused(service: _Service, *, token: str | None = None) -> int:
    try:
        answer = service.ask(token=token)
    except (OSError, HTTPException) as error:
        raise _silent(service, str(error) or type(error).__name__) from error
    if answer.status in {401, 403} or (
        answer.status == 302 and answer.location.startswith("/login")
    ):
        return answer.status
    raise ProofError(
        f"{service.name} answers HTTP {answer.status} {'with an old' if token else 'without a'} token",
        remedy="nobody gets this URL: take the environment down",
    )


def _run_proof_cell(
    server: Server, *, token: str, gpus: int, deadline: float, clock: Callable[[], float]
) -> int:
    a, b = secrets.randbelow(10**6) + 2, secrets.randbelow(10**6) + 2
    said = _run_in_some_kernel(
        server, token=token, code=_CELL.format(a=a, b=b), deadline=deadline, clock=clock
    )
    words = said.split()
    if len(words) != 2 or words[0] != str(a * b) or not words[1].isdigit():
        raise ProofError(
            f"the kernel gives a wrong answer: {said[:80]!r}",
            remedy=_LOGS.format(unit="fleet-jupyter"),
        )
    seen = int(words[1])
    if seen != gpus:
        raise ProofError(
            f"the kernel sees {seen} GPUs, the instance type has {gpus}",
            remedy="check that the image's NVIDIA driver fits the instance type",
        )
    return seen


def _run_in_some_kernel(
    server: Server, *, token: str, code: str, deadline: float, clock: Callable[[], float]
) -> str:
    """Run a cell; where its kernel stays mute, in another one.

    Jupyter chooses a kernel's ports before the kernel takes them: on a busy machine another program may be quicker.
    """
    with suppress(OSError, HTTPException):
        return run_cell(server, token=token, code=code, deadline=deadline, clock=clock)
    try:
        return run_cell(server, token=token, code=code, deadline=deadline, clock=clock)
    except (OSError, HTTPException) as error:
        raise ProofError(
            f"no kernel answers: {str(error) or type(error).__name__}",
            remedy=_LOGS.format(unit="fleet-jupyter"),
        ) from error


def _until_answers(
    service: _Service,
    *,
    token: str,
    deadline: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Answer:
    while True:
        try:
            answer = service.ask(token=token)
            if answer.status == 200:
                return answer
            said = f"HTTP {answer.status}"
        except (OSError, HTTPException) as error:
            said = str(error) or type(error).__name__
        if clock() >= deadline:
            raise _silent(service, said)
        sleep(_RETRY_SECONDS)


def _silent(service: _Service, said: str) -> ProofError:
    return ProofError(
        f"{service.name} does not answer: {said}", remedy=_LOGS.format(unit=service.unit)
    )
