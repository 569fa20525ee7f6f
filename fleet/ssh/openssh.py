"""OpenSSH's client on this machine, which `fleet ssh` starts."""

from __future__ import annotations

import subprocess

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
