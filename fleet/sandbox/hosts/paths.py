"""Where a host's disk lies, and which of its files a path of that host means.

Pure apart from `existing`, which looks whether a file is there.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

# These mean the same on the host as on the machine that runs the sandbox.
SHARED = ("/tmp", "/dev", "/proc", "/sys")  # noqa: S108 - named, not written to
# A unit or a command that names one of these means the host's own, there or not.
OWN = ("/etc", "/var", "/opt", "/root", "/srv", "/run", "/home", "/usr/local", "/boot", "/mnt")


def below(path: str, top: str) -> bool:
    """Whether `path` is `top` or lies in it."""
    return path == top or path.startswith(top.rstrip("/") + "/")


@dataclass(frozen=True)
class HostPaths:
    """The disk of one host. `top` is its folder, `user` its login."""

    top: Path
    user: str

    @property
    def home(self) -> Path:
        """The user's home directory."""
        return self.top / "home" / self.user

    @property
    def root(self) -> Path:
        """What stands for the host's /: /etc, /var and the like."""
        return self.top / "root"

    @property
    def bin(self) -> Path:
        """The stand-ins, first on PATH."""
        return self.top / "bin"

    @property
    def tools(self) -> Path:
        """`python3` and `uv`."""
        return self.top / "tools"

    @property
    def log(self) -> Path:
        """Journal, console, init's own log."""
        return self.top / "log"

    @property
    def tmp(self) -> Path:
        """TMPDIR."""
        return self.top / "tmp"

    @property
    def socket(self) -> Path:
        """Where init listens for the stand-ins."""
        return self.top / "run" / "init"

    @property
    def host_key(self) -> Path:
        """The private SSH host key: made once for this disk."""
        return self.root / "etc/ssh/ssh_host_ed25519_key"

    def real(self, path: str) -> str:
        """The file that an absolute path of the host means."""
        path = os.path.normpath(path)
        if below(path, str(self.top)) or any(below(path, top) for top in SHARED):
            return path
        if below(path, "/home"):
            return f"{self.top}{path}"
        return f"{self.root}{path}" if path != "/" else str(self.root)

    def existing(self, path: str) -> str:
        """As `real`, but programs and libraries that the host lacks are those of the machine."""
        real = self.real(path)
        path = os.path.normpath(path)
        if Path(real).exists() or any(below(path, top) for top in OWN):
            return real
        return path

    def word(self, word: str) -> str:
        """`existing` for one word of a command line: a path, or `--option=path`, or as it was."""
        head, equals, tail = word.partition("=")
        if word.startswith("/"):
            return self.existing(word)
        if equals and tail.startswith("/"):
            return f"{head}={self.existing(tail)}"
        return word
