"""What a host's disk holds when it first boots: a small /etc, the user's home, stand-ins, a host
key.

Writes below the host's folder only. Boots after the first find everything in place and leave it
alone.
"""

from __future__ import annotations

import os
import shlex
import sys
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import asyncssh
from uv import find_uv_bin

from fleet.sandbox.frameworks import environment_texts
from fleet.sandbox.hosts.environment import host_name, search_path
from fleet.sandbox.hosts.kept import lay

if TYPE_CHECKING:
    from fleet.sandbox.driver import HostConfig
    from fleet.sandbox.hosts.paths import HostPaths

_FOLDERS = (
    *("bin", "tools", "log", "tmp", "run"),
    *("root/etc/systemd/system", "root/etc/ssh", "root/var/lib/cloud/instance", "root/var/log"),
    *("root/usr/local/bin", "root/opt", "root/root", "root/run", "root/srv"),
)

_UBUNTU = """\
PRETTY_NAME="Ubuntu 24.04.3 LTS"
NAME="Ubuntu"
VERSION_ID="24.04"
VERSION="24.04.3 LTS (Noble Numbat)"
VERSION_CODENAME=noble
ID=ubuntu
ID_LIKE=debian
UBUNTU_CODENAME=noble
"""
_AMAZON_LINUX = """\
NAME="Amazon Linux"
VERSION="2023"
ID="amzn"
ID_LIKE="fedora"
VERSION_ID="2023"
PLATFORM_ID="platform:al2023"
PRETTY_NAME="Amazon Linux 2023"
"""

# The machine's /etc/profile sets PATH anew in a login shell; without this the stand-ins would be
# gone.
_PROFILE = """\
export PATH={path}
[ -n "$PS1" ] && PS1='\\u@'"$HOSTNAME"':\\w\\$ '
"""


def _etc(host: HostConfig) -> dict[str, str]:
    name, user, ids = host_name(host.address), host.user, f"{os.getuid()}:{os.getgid()}"
    return {
        "os-release": _AMAZON_LINUX if user == "ec2-user" else _UBUNTU,
        "hostname": f"{name}\n",
        "hosts": f"127.0.0.1 localhost\n{host.address} {name}\n",
        "fstab": "",
        "passwd": f"root:x:0:0:root:/root:/bin/bash\n{user}:x:{ids}::/home/{user}:/bin/bash\n",
        "group": f"root:x:0:\n{user}:x:{os.getgid()}:\n",
        "ssh/sshd_config": "PasswordAuthentication no\nPermitRootLogin no\n",
    }


def _place(path: Path, text: str, *, mode: int = 0o644) -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)


def base_python() -> str:
    """The interpreter under the sandbox's own environment: what `python3` means on a host."""
    return os.path.realpath(getattr(sys, "_base_executable", sys.executable))


def _tools(paths: HostPaths) -> None:
    # A script, not a link: venvs made from it must record the interpreter's own folder.
    python = f'#!/bin/sh\nexec {shlex.quote(base_python())} "$@"\n'
    _place(paths.tools / "python3", python, mode=0o755)
    if not (paths.tools / "uv").exists():
        (paths.tools / "uv").symlink_to(find_uv_bin())


def _standins(paths: HostPaths, names: tuple[str, ...]) -> None:
    source = files("fleet.sandbox.hosts").joinpath("standin.py").read_text()
    script = paths.bin / ".standin"
    # -I and -S: no site, no user's settings; a third of the time to start.
    _place(script, f"#!{base_python()} -IS\n{source}", mode=0o755)
    for name in names:
        if not (paths.bin / name).exists():
            (paths.bin / name).symlink_to(".standin")


def _home(host: HostConfig, paths: HostPaths) -> None:
    profile = _PROFILE.format(path=shlex.quote(search_path(paths)))
    _place(paths.home / ".profile", profile)
    _place(paths.home / ".bashrc", profile)
    (paths.home / ".ssh").mkdir(mode=0o700, exist_ok=True)
    authorized = paths.home / ".ssh/authorized_keys"
    _place(authorized, "", mode=0o600)
    there = authorized.read_text()
    new = [key.strip() for key in host.authorized_keys if key.strip() not in there]
    authorized.write_text("".join([there, *(f"{key}\n" for key in new)]))


def _framework(host: HostConfig, paths: HostPaths) -> None:
    """Where DLAMI users of conda have it: a host shares the machine's /opt."""
    if host.framework is None:
        return
    environment, python = paths.home / "anaconda3/envs" / host.framework.name, base_python()
    for path, text in environment_texts(host.framework, python=python).items():
        _place(environment / path, text)
    (environment / "bin").mkdir(exist_ok=True)
    if not (environment / "bin/python").is_symlink():
        (environment / "bin/python").symlink_to(python)


def host_key(paths: HostPaths, comment: str) -> asyncssh.SSHKey:
    """The host's key, made at the first call."""
    if not paths.host_key.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment=comment)
        key.write_private_key(str(paths.host_key))
        paths.host_key.chmod(0o600)
        key.write_public_key(str(paths.host_key.with_suffix(".pub")))
    return asyncssh.read_private_key(str(paths.host_key))


def _first_boot(host: HostConfig, paths: HostPaths) -> None:
    """What cloud-init does at the first boot of an instance, whose disk was another's: a name, keys of its own."""
    seen = paths.root / "var/lib/cloud/data/instance-id"
    if not seen.exists() or seen.read_text() != host.instance_id:
        for key in (paths.root / "etc/ssh").glob("ssh_host_*"):
            key.unlink()
        for name in ("hostname", "hosts"):
            (paths.root / "etc" / name).unlink(missing_ok=True)
    seen.parent.mkdir(parents=True, exist_ok=True)
    seen.write_text(host.instance_id)


def prepare(host: HostConfig, paths: HostPaths, names: tuple[str, ...], *, kept: Path) -> None:
    """Make the disk what it must be at boot. `names` are the stand-ins, `kept` is where kept disks are."""
    if host.kept_disk:
        lay(kept / host.kept_disk, paths.top)
    _first_boot(host, paths)
    for folder in _FOLDERS:
        (paths.top / folder).mkdir(parents=True, exist_ok=True)
    paths.home.mkdir(parents=True, exist_ok=True)
    for name, text in _etc(host).items():
        _place(paths.root / "etc" / name, text)
    user_data = paths.root / "var/lib/cloud/instance/user-data.txt"
    user_data.write_bytes(host.user_data)
    user_data.chmod(0o600)
    (paths.root / "var/lib/cloud/instance/boot-finished").unlink(missing_ok=True)
    _home(host, paths)
    _tools(paths)
    _standins(paths, names)
    _framework(host, paths)
