"""The user's own ssh_config: takes in another file by an Include line, and leaves it out again.

Nothing else of it is touched. The line stands first, for an Include below a Host line belongs to that host alone
(ssh_config(5)). A file that is a symbolic link, as in a folder of dotfiles, stays one.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from fleet.errors import FleetError


def take_in(config: Path, included: Path) -> None:
    """Include a file. Where that is done already nothing changes. Raises FleetError."""
    try:
        lines = _lines(config)
        if _include(included) not in lines:
            _write(config, [_include(included), *lines])
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(config, error) from error


def leave_out(config: Path, included: Path) -> None:
    """Include a file no longer. Raises FleetError."""
    try:
        lines = _lines(config)
        if _include(included) in lines:
            _write(config, [line for line in lines if line != _include(included)])
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable(config, error) from error


def has_in(config: Path, included: Path) -> bool:
    """Whether a file is included. One that cannot be read includes nothing."""
    try:
        return _include(included) in _lines(config)
    except (OSError, UnicodeDecodeError):
        return False


def _include(included: Path) -> str:
    return f'Include "{included}"\n'


def _lines(config: Path) -> list[str]:
    if not config.exists():
        return []
    text = config.read_text("utf-8")
    return text.splitlines(keepends=True)


def _write(config: Path, lines: list[str]) -> None:
    """Write all at once, with the rights that the file had; 0600 for a new one."""
    real = config.resolve()
    real.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    mode = stat.S_IMODE(real.stat().st_mode) if real.exists() else 0o600
    fresh = real.with_name(f".{real.name}.fleet-{os.getpid()}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(lines)
    fresh.chmod(mode)
    fresh.replace(real)


def _unusable(config: Path, error: Exception) -> FleetError:
    reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
    return FleetError(
        f"{config} cannot be changed ({reason})",
        remedy="leave --include away, and use `ssh -F` with the path that is printed",
    )
