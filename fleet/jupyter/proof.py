"""Proves an environment from outside before its URL is handed out: refused without the token, accepted with it,
a cell executed and its answer checked, the GPUs seen, TensorBoard answering.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.client import HTTPException

from fleet.errors import ProofError
from fleet.jupyter.http import Answer, request
from fleet.jupyter.kernel import run_cell

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
class Proof:
    """What was shown: HTTP statuses of Jupyter without and with the token, the cell's GPUs, TensorBoard's status."""

    refused_status: int
    accepted_status: int
    gpus: int
    tensorboard_status: int


@dataclass(frozen=True)
class Endpoint:
    """Where an environment's services answer."""

    address: str
    jupyter_port: int
    tensorboard_port: int


def prove(
    endpoint: Endpoint,
    *,
    token: str,
    gpus: int,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Proof:
    """Prove an environment, waiting until `deadline` (on `clock`) for services that still start.

    Raises ProofError that says which promise is not kept.
    """
    accepted = _until_answers(
        lambda: request(
            endpoint.address,
            endpoint.jupyter_port,
            "GET",
            "/api/status",
            token=token,
            timeout=_SECONDS,
        ),
        what="Jupyter",
        unit="fleet-jupyter",
        deadline=deadline,
        clock=clock,
        sleep=sleep,
    )
    refused = request(
        endpoint.address, endpoint.jupyter_port, "GET", "/api/kernels", timeout=_SECONDS
    ).status
    if refused not in {401, 403}:
        raise ProofError(
            f"Jupyter answers HTTP {refused} without a token",
            remedy="nobody gets this URL: take the environment down",
        )
    seen = _run_proof_cell(endpoint, token=token, gpus=gpus, deadline=deadline, clock=clock)
    tensorboard = _until_answers(
        lambda: request(endpoint.address, endpoint.tensorboard_port, "GET", "/", timeout=_SECONDS),
        what="TensorBoard",
        unit="fleet-tensorboard",
        deadline=deadline,
        clock=clock,
        sleep=sleep,
    )
    return Proof(refused, accepted.status, seen, tensorboard.status)


def answers(endpoint: Endpoint, *, token: str, timeout: float) -> bool:
    """Look once whether both services answer, Jupyter with this token."""
    try:
        jupyter = request(
            endpoint.address,
            endpoint.jupyter_port,
            "GET",
            "/api/status",
            token=token,
            timeout=timeout,
        )
        tensorboard = request(
            endpoint.address, endpoint.tensorboard_port, "GET", "/", timeout=timeout
        )
    except (OSError, HTTPException):
        return False
    return jupyter.status == tensorboard.status == 200


def _run_proof_cell(
    endpoint: Endpoint, *, token: str, gpus: int, deadline: float, clock: Callable[[], float]
) -> int:
    a, b = secrets.randbelow(10**6) + 2, secrets.randbelow(10**6) + 2
    try:
        said = run_cell(
            endpoint.address,
            endpoint.jupyter_port,
            token=token,
            code=_CELL.format(a=a, b=b),
            deadline=deadline,
            clock=clock,
        )
    except (OSError, HTTPException) as error:
        raise ProofError(
            f"no kernel answers: {str(error) or type(error).__name__}",
            remedy=_LOGS.format(unit="fleet-jupyter"),
        ) from error
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


def _until_answers(
    ask: Callable[[], Answer],
    *,
    what: str,
    unit: str,
    deadline: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
) -> Answer:
    while True:
        try:
            answer = ask()
            if answer.status == 200:
                return answer
            said = f"HTTP {answer.status}"
        except (OSError, HTTPException) as error:
            said = str(error) or type(error).__name__
        if clock() >= deadline:
            raise ProofError(f"{what} does not answer: {said}", remedy=_LOGS.format(unit=unit))
        sleep(_RETRY_SECONDS)
