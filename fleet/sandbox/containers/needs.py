"""What the container driver needs of the machine: found out before anything is made."""

from __future__ import annotations

import os
import shutil
import sys

from fleet.errors import SandboxError
from fleet.sandbox.containers import base, cgroups

PROGRAMS = {
    "systemd-nspawn": "systemd-container",
    "ip": "iproute2",
    "tc": "iproute2",
    "nft": "nftables",
    "unshare": "util-linux",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}
"""Programs and the Debian packages that bring them."""
_BUILDERS = {"mmdebstrap": "mmdebstrap", "gpgv": "gpgv"}
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def missing() -> str:
    """Why hosts cannot be containers here, on one line with the remedy; empty where they can be."""
    try:
        require()
    except SandboxError as error:
        return str(error)
    return ""


def require() -> None:
    """Raise SandboxError naming everything that is missing, and what brings it."""
    if not sys.platform.startswith("linux"):
        raise SandboxError("container hosts need Linux", remedy="use --hosts process")
    if os.geteuid() != 0:
        raise SandboxError(
            "container hosts need root: they are mounted and given networks of their own",
            remedy="run it as root, or use --hosts process",
        )
    wanted = PROGRAMS if base.tree().is_dir() else {**PROGRAMS, **_BUILDERS}
    absent = {name: package for name, package in wanted.items() if not _found(name)}
    if absent:
        packages = " ".join(dict.fromkeys(absent.values()))
        raise SandboxError(
            f"container hosts need {', '.join(absent)}", remedy=f"apt-get install {packages}"
        )
    if cgroups.mounted_at() is None:
        raise SandboxError(
            "container hosts need cgroup v2 of Linux 5.14 or newer, and none is mounted",
            remedy="use --hosts process",
        )


def _found(program: str) -> bool:
    return shutil.which(program, path=f"{os.environ.get('PATH', '')}:{_PATH}") is not None
