"""Runs the system's own programs (ip, nft, tc, mount) for the driver. Raises SandboxError with their words."""

from __future__ import annotations

import subprocess

from fleet.errors import SandboxError

SECONDS = 60.0
"""Each is done in milliseconds; a busy machine gets longer."""


def run(*words: str, given: str = "", seconds: float = SECONDS) -> str:
    """Run a program to its end with `given` as its stdin; give its stdout."""
    try:
        done = subprocess.run(
            words, input=given, capture_output=True, text=True, timeout=seconds, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SandboxError(f"`{' '.join(words)}` did not run ({error})", remedy="") from error
    if done.returncode != 0:
        said = " / ".join(line.strip() for line in done.stderr.splitlines() if line.strip())
        raise SandboxError(f"`{' '.join(words)}` failed: {said}", remedy="")
    return done.stdout
