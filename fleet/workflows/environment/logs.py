"""What one environment has logged: its services' journal, its bootstrap, its first boot."""

from __future__ import annotations

from fleet.errors import HostError
from fleet.workflows.context import Context
from fleet.workflows.environment.remote import execute_on_fleet

_SECONDS = 60.0
_SERVICES = (
    *("fleet-jupyter", "fleet-tensorboard", "fleet-tensorboard-gate"),
    *("fleet-lifetime", "fleet-spot"),
)
_JOURNAL = "sudo -n journalctl --no-pager"
_COMMANDS = {
    "services": f"{_JOURNAL} {' '.join(f'-u {name}.service' for name in _SERVICES)} -n",
    "all": f"{_JOURNAL} -n",
    "bootstrap": "tail ~/.fleet/log/bootstrap.log -n",
    "cloud-init": "sudo -n tail /var/log/cloud-init-output.log -n",
}


def read_log(context: Context, fleet: str, member: str, *, subject: str, lines: int) -> str:
    """Give the last `lines` lines of a subject: "services", "bootstrap", "cloud-init" or "all".

    Raises NothingFoundError for an unknown member, HostError where the log cannot be read.
    """
    command = f"{_COMMANDS[subject]} {lines}"
    (outcome,) = execute_on_fleet(context, fleet, (command,), members=(member,), timeout=_SECONDS)
    if outcome.error:
        raise HostError(outcome.error, remedy="")
    if outcome.exit_status:
        said = (outcome.stderr.splitlines() or [f"exit status {outcome.exit_status}"])[-1]
        raise HostError(
            f"{member} has no log of {subject} to show: {said}", remedy="see `fleet status`"
        )
    return outcome.stdout
