"""Starts, finds, resets and stops a sandbox: what the command line calls.

Takes the sandbox's folder, gives a `Sandbox`; raises SandboxError with the remedy. Prints nothing,
and imports nothing heavy: the daemon and its hosts run in processes of their own.
"""

from __future__ import annotations

import http.client
import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.errors import SandboxError, UsageError
from fleet.sandbox import state, strays
from fleet.sandbox.containers import cgroups
from fleet.sandbox.faults import read_conditions
from fleet.sandbox.hosts import packages
from fleet.sandbox.trees import remove_tree

START_SECONDS = 60.0
"""From the start of the daemon until its endpoint answers: 2-3 s on a free machine."""
STOP_SECONDS = 75.0
"""For the daemon to end with its hosts; after that it is killed."""
ANSWER_SECONDS = 25.0
"""For the endpoint to answer a control request."""
RESET_SECONDS = 60.0
_ACCESS_KEY = "AKIAFLEETSANDBOX0000"
_SECRET_KEY = "fleet-sandbox-no-secret-at-all-0000000000"  # noqa: S105 - known to everybody
_SERVICES = ("EC2", "SSM", "STS", "PRICING", "SERVICE_QUOTAS", "IAM", "S3")
_UNSET = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"),
)
_LOOPBACK = ("127.0.0.1", "127.0.0.0/8", "localhost")


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox. `hosts` counts those that it holds, powered off or not.

    `driver` is "process" or "container"; `network` holds the hosts' addresses.
    """

    pid: int
    endpoint: str
    region: str
    directory: Path
    ssh_port: int
    started_at: str
    boot_seconds: float
    hosts: int
    driver: str = "process"
    network: str = "127.0.0.0/8"


def start(
    directory: Path,
    *,
    boot_seconds: float = 2.0,
    region: str = "us-east-1",
    driver: str = "",
    on_progress: Callable[[str], None] = lambda _: None,
) -> Sandbox:
    """Start a sandbox, or give the one that runs in `directory`. Callers at the same time get the
    same.

    `driver` is what hosts are, "process" or "container"; an empty one means processes, or whatever
    runs. Raises SandboxError where the machine lacks what containers need.
    """
    if driver == "container":
        _prepare_containers(on_progress)
    directory = directory.absolute()
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory.chmod(0o700)
    except OSError as error:
        raise SandboxError(
            f"{directory} cannot be used ({error.strerror})", remedy="set FLEET_SANDBOX_DIR"
        ) from error
    with state.locked(directory, seconds=START_SECONDS + STOP_SECONDS):
        running = status(directory)
        if running:
            _require_driver(running, driver)
            return running
        _end_everything(directory)
        _sweep(directory)
        _launch(directory, boot_seconds=boot_seconds, region=region, driver=driver or "process")
        started = status(directory)
    if started is None:
        raise SandboxError(
            f"the sandbox started and ended at once: {_last_words(directory)}",
            remedy=f"see {directory / 'daemon.log'}",
        )
    return started


def _prepare_containers(on_progress: Callable[[str], None]) -> None:
    from fleet.sandbox.containers import base, needs  # only where they are asked for

    needs.require()
    base.ensure(on_progress)


def _require_driver(running: Sandbox, driver: str) -> None:
    if driver not in {"", running.driver}:
        raise SandboxError(
            f"a sandbox with {running.driver} hosts runs already",
            remedy="run `fleet sandbox stop` first",
        )


def status(directory: Path) -> Sandbox | None:
    """The sandbox that runs in `directory`, if any. A state file whose daemon has gone is
    removed."""
    found = state.read(directory)
    if found is None:
        return None
    if not found.alive:
        state.remove(directory)
        return None
    told = _ask(found, "GET", "status", seconds=ANSWER_SECONDS)
    return Sandbox(
        pid=found.pid,
        endpoint=f"http://127.0.0.1:{found.port}",
        region=found.region,
        directory=directory.absolute(),
        ssh_port=found.ssh_port,
        started_at=found.started_at,
        boot_seconds=found.boot_seconds,
        hosts=int(str(told["hosts"])),
        driver=found.driver,
        network=found.network,
    )


def reset(directory: Path) -> None:
    """Forget every host and all that was made in the cloud; the sandbox keeps running."""
    _ask(_alive(directory), "POST", "reset", seconds=RESET_SECONDS)


def stop(directory: Path) -> bool:
    """End the sandbox with all its hosts and remove its files, but not the package cache.

    Returns whether anything was running. Raises SandboxError when a process cannot be ended.
    """
    directory = directory.absolute()
    if not directory.is_dir():
        return False
    with state.locked(directory, seconds=START_SECONDS + STOP_SECONDS):
        running = _end_everything(directory)
        _sweep(directory)
        (directory / "lock").unlink(missing_ok=True)
    return running


def add_fault(directory: Path, name: str, options: Mapping[str, str]) -> dict[str, Any]:
    """Switch on a fault, and give it as `faults` does. Raises UsageError for a wrong option."""
    read_conditions(name, options)
    (added,) = _faults(directory, "POST", {"name": name, "options": dict(options)})
    return added


def act_on_hosts(
    directory: Path, names: Sequence[str], verb: str, options: Mapping[str, str]
) -> list[str]:
    """Let something befall container hosts; give their ids. Raises UsageError.

    A name is an instance id, an address, FLEET/MEMBER, or a member that only one fleet has.
    """
    found = _alive(directory)
    body = json.dumps({"names": list(names), "verb": verb, "options": dict(options)})
    told: list[str] = _ask(found, "POST", "host", seconds=ANSWER_SECONDS, body=body)["hosts"]
    return told


def hosts(directory: Path) -> list[dict[str, str]]:
    """Every running container host: instance_id, address, fleet, member, link. Raises UsageError."""
    told: list[dict[str, str]] = _ask(_alive(directory), "GET", "hosts", seconds=ANSWER_SECONDS)[
        "hosts"
    ]
    return told


def faults(directory: Path) -> list[dict[str, Any]]:
    """Every fault that was not cleared: id, name, options, hits, left, seconds_left, over, ..."""
    return _faults(directory, "GET", {})


def clear_faults(directory: Path, which: Sequence[str]) -> list[dict[str, Any]]:
    """Switch faults off by id or name, or all of them; gives those. Raises UsageError for another."""
    return _faults(directory, "DELETE", {"which": list(which)})


def _alive(directory: Path) -> state.State:
    found = state.read(directory)
    if found is None or not found.alive:
        raise SandboxError("no sandbox is running", remedy="run `fleet sandbox start`")
    return found


def _faults(directory: Path, method: str, body: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = _alive(directory)
    told = _ask(found, method, "faults", seconds=ANSWER_SECONDS, body=json.dumps(body))
    listed: list[dict[str, Any]] = told["faults"]
    return listed


def environment(
    sandbox: Sandbox, *, environ: Mapping[str, str] | None = None
) -> dict[str, str | None]:
    """What a shell must export to work in the sandbox; None means that a variable must go.

    `environ` is the environment it is added to: os.environ unless given.
    """
    environ = os.environ if environ is None else environ
    own = {
        "AWS_ENDPOINT_URL": sandbox.endpoint,
        "AWS_ACCESS_KEY_ID": _ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": _SECRET_KEY,
        "AWS_REGION": sandbox.region,
        "AWS_DEFAULT_REGION": sandbox.region,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "FLEET_CHECKIP_URL": f"{sandbox.endpoint}/checkip",
        "FLEET_SSH_PORT": str(sandbox.ssh_port),
        "FLEET_CACHE_DIR": str(sandbox.directory / "fleet-cache"),
        "FLEET_SANDBOX_DIR": str(sandbox.directory),
    }
    gone = (*_UNSET, *(f"AWS_ENDPOINT_URL_{name}" for name in _SERVICES))
    return {**own, **_without_proxy(environ, sandbox.network), **dict.fromkeys(gone)}


def _without_proxy(environ: Mapping[str, str], network: str) -> dict[str, str]:
    """NO_PROXY with the loopback addresses and the hosts', where a proxy is set."""
    if not any(name.lower().endswith("_proxy") and text for name, text in environ.items()):
        return {}
    before = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    names = [*filter(None, (name.strip() for name in before.split(","))), *_LOOPBACK, network]
    return dict.fromkeys(("NO_PROXY", "no_proxy"), ",".join(dict.fromkeys(names)))


def _launch(directory: Path, *, boot_seconds: float, region: str, driver: str) -> None:
    """Start the daemon and wait until it says that it is ready."""
    reader, writer = os.pipe()
    try:
        _spawn(directory, [region, str(boot_seconds), driver], writer)
        ready, _, _ = select.select([reader], [], [], START_SECONDS)
        said = os.read(reader, 64) if ready else None
    finally:
        os.close(reader)
    if said == b"ready\n":
        return
    words, remedy = _last_words(directory), f"see {directory / 'daemon.log'}"
    if said is None:
        # Not found by a state file that it has not written; it ends when it cannot say ready.
        message = f"the sandbox did not answer within {START_SECONDS:.0f} s: {words}"
        raise SandboxError(message, remedy="see whether the machine is overloaded; start it again")
    if "ModuleNotFoundError" in words:
        remedy = "install it with its sandbox: pip install 'dl-fleet[sandbox]'"
    raise SandboxError(f"the sandbox did not start: {words}", remedy=remedy)


def _spawn(directory: Path, arguments: list[str], writer: int) -> None:
    """Start the daemon, which detaches at once; only it holds `writer` afterwards."""
    # Nothing in the sandbox may reach AWS by the caller's credentials.
    environ = {name: text for name, text in os.environ.items() if not name.startswith("AWS_")}
    module = "fleet.sandbox.daemon"
    # What containers mount goes with the last process that has seen it.
    within = (
        ["unshare", "--mount", "--propagation", "slave", "--"] if "container" in arguments else []
    )
    try:
        with (directory / "daemon.log").open("wb") as log:
            subprocess.run(
                [*within, sys.executable, "-m", module, str(directory), *arguments, str(writer)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[writer],
                env={**environ, "AWS_EC2_METADATA_DISABLED": "true"},
                start_new_session=True,
                check=False,
                timeout=START_SECONDS,
            )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(
            f"the sandbox's daemon could not be started ({error})",
            remedy="see whether the machine is overloaded; start it again",
        ) from error
    finally:
        os.close(writer)


def _last_words(directory: Path) -> str:
    """The end of the daemon's log, on one line."""
    try:
        lines = (directory / "daemon.log").read_text(errors="replace").splitlines()
    except OSError:
        return "it has no log"
    return " / ".join(line.strip() for line in lines[-4:] if line.strip()) or "its log is empty"


def _ask(
    found: state.State, method: str, request: str, *, seconds: float, body: str = ""
) -> dict[str, Any]:
    """One control request. Raises UsageError where the daemon says that it was asked wrongly."""
    connection = http.client.HTTPConnection("127.0.0.1", found.port, timeout=seconds)
    try:
        secret = {"X-Fleet-Secret": found.secret}
        connection.request(method, f"/_fleet/{request}", body=body, headers=secret)
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise SandboxError(
            f"the sandbox (pid {found.pid}) does not answer ({error})",
            remedy="run `fleet sandbox stop`, then start it again",
        ) from error
    finally:
        connection.close()
    if answer.status == http.client.BAD_REQUEST:
        wrong = json.loads(said)
        raise UsageError(wrong["error"], remedy=wrong["remedy"])
    if answer.status != http.client.OK:
        raise SandboxError(
            f"the sandbox refused `{request}`: HTTP {answer.status}",
            remedy="run `fleet sandbox stop`, then start it again",
        )
    told: dict[str, Any] = json.loads(said)
    return told


def _end_everything(directory: Path) -> bool:
    """End the daemon, then whatever is left of its hosts. Returns whether anything ran."""
    found = state.read(directory)
    running = found is not None and found.alive
    if found is not None and running:
        os.kill(found.pid, signal.SIGTERM)
        if not _ended(found, seconds=STOP_SECONDS) and found.alive:
            os.kill(found.pid, signal.SIGKILL)
            _ended(found, seconds=5)
    # Containers first: what their systemd started carries no mark, and outlives its nspawn.
    left = [cgroups.end_all(directory), strays.end(directory)]
    state.remove(directory)
    return running or any(left)


def _ended(found: state.State, *, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while found.alive and time.monotonic() < deadline:
        time.sleep(0.02)
    return not found.alive


def _sweep(directory: Path) -> None:
    """Remove every file but the package cache and the lock, which the caller holds."""
    for entry in directory.iterdir():
        if entry.name not in {packages.OWN, "lock"}:
            remove_tree(entry)
