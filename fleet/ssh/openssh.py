"""OpenSSH's client on this machine, which `fleet ssh` starts. Nothing here needs paramiko, which loads slowly."""

from __future__ import annotations

import subprocess

from fleet.plan.ports import SSH_PORT

_SECONDS = 10


def openssh_version() -> str:
    """Give what `ssh -V` says, such as `OpenSSH_9.6p1`; an empty text where there is no ssh."""
    try:
        done = subprocess.run(
            ["ssh", "-V"], capture_output=True, text=True, timeout=_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    words = (done.stderr or done.stdout).split()
    return words[0].rstrip(",") if words else ""


def known_hosts_name(address: str, port: int) -> str:
    """Write an address as a known_hosts line names it: with the port where it is not SSH's own."""
    return address if port == SSH_PORT else f"[{address}]:{port}"
