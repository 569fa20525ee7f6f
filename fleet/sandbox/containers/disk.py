"""A container host's disk: an overlay on the base tree, and what an image's maker would have put there.

Writes below the host's folder only. The mount is the daemon's own and goes with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.errors import SandboxError
from fleet.sandbox.containers.ailments import files_of, login_user
from fleet.sandbox.containers.network import PACKAGES_PORT
from fleet.sandbox.containers.programs import run
from fleet.sandbox.frameworks import environment_texts
from fleet.sandbox.hosts.environment import host_name
from fleet.sandbox.trees import remove_tree

if TYPE_CHECKING:
    from fleet.sandbox.driver import Framework, HostConfig

_USER = """\
system_info:
  default_user:
    name: {user}
    lock_passwd: true
    gecos: {user}
    shell: /bin/bash
    sudo: ["ALL=(ALL) NOPASSWD:ALL"]
"""
_LIBRARY = "usr/lib/fleet-sandbox"
_MODULES = (
    *("__init__.py", "sandbox/__init__.py", "sandbox/hosts/__init__.py"),
    *("sandbox/driver.py", "sandbox/hosts/commands.py", "sandbox/hosts/nvidia.py"),
)
_NVIDIA_SMI = """\
#!/usr/bin/python3 -IS
import os
import sys
from pathlib import Path

sys.path.insert(0, "/{library}")
from fleet.sandbox.driver import Gpu
from fleet.sandbox.hosts.commands import Request
from fleet.sandbox.hosts.nvidia import NvidiaSmi, load_below

gpus = tuple(Gpu(*each) for each in {gpus!r})
smi = NvidiaSmi({instance_id!r}, gpus, load_below(Path("/")))
reply = smi.answer(Request("nvidia-smi", tuple(sys.argv[1:]), os.getcwd()))
sys.stdout.write(reply.out)
sys.stderr.write(reply.err)
sys.exit(reply.code)
"""


@dataclass(frozen=True)
class Disk:
    """The folders of one host below `top`."""

    top: Path

    @property
    def root(self) -> Path:
        """Where the host's root file system is mounted while it runs."""
        return self.top / "root"

    @property
    def disk(self) -> Path:
        """What has the size of the volume."""
        return self.top / "disk"

    @property
    def upper(self) -> Path:
        """What the host wrote."""
        return self.disk / "upper"

    @property
    def work(self) -> Path:
        """The overlay's own, on the same file system."""
        return self.disk / "work"

    @property
    def console(self) -> Path:
        """The console's output, of all boots."""
        return self.top / "console"

    def limit(self, mib: int) -> None:
        """Let the disk hold only so much, until it is unmounted for good; 0 is no limit."""
        self.disk.mkdir(parents=True, exist_ok=True)
        if mib and not self.disk.is_mount():
            run("mount", "-t", "tmpfs", "-o", f"size={mib}m,mode=755", "fleet", str(self.disk))

    def mount(self, layers: Sequence[Path]) -> None:
        """Mount the root file system on layers, the uppermost first. Raises SandboxError where that cannot be."""
        for folder in (self.root, self.upper):
            folder.mkdir(parents=True, exist_ok=True)
        self.upper.chmod(0o755)
        self.top.chmod(0o755)
        # A disk of the sandbox outlives no crash of the machine: volatile spares a sync of the
        # machine's own disk at every end of a host. It leaves a mark that refuses the next mount.
        remove_tree(self.work)
        self.work.mkdir()
        below = ":".join(map(str, layers))
        options = f"volatile,lowerdir={below},upperdir={self.upper},workdir={self.work}"
        try:
            run("mount", "-t", "overlay", "overlay", "-o", options, str(self.root))
        except SandboxError as error:
            raise SandboxError(
                f"no overlay can be mounted below {self.top}: {error.message}",
                remedy="set FLEET_SANDBOX_DIR to a folder on ext4, xfs or tmpfs",
            ) from error

    def unmount(self) -> None:
        """Take the mount of the root file system away, if there is one."""
        while self.root.is_mount():
            run("umount", str(self.root))

    def remove(self) -> None:
        """Remove the disk, which is not in use any more."""
        if self.disk.is_mount():
            run("umount", str(self.disk))
        remove_tree(self.top)

    def furnish(self, host: HostConfig, *, base: Path, gateway: str) -> None:
        """What the image holds for this host. Boots after the first find it in place."""
        name = host_name(host.address)
        placed = {
            "etc/hostname": f"{name}\n",
            "etc/hosts": f"127.0.0.1 localhost\n{host.address} {name}.ec2.internal {name}\n",
            "etc/cloud/cloud.cfg.d/91-user.cfg": _USER.format(
                user=login_user(host.ailments, usual=host.user)
            ),
            "etc/pip.conf": _pip(gateway),
            "etc/uv/uv.toml": f'[[index]]\nurl = "{_index(gateway)}"\ndefault = true\n',
            **files_of(host.ailments),
        }
        for path, text in placed.items():
            self._place(path, text)
        self._place_nvidia_smi(host)
        if host.framework:
            self._place_framework(host.framework, base)

    def _place_framework(self, framework: Framework, base: Path) -> None:
        """Where DLAMIs have it."""
        environment = f"opt/{framework.name}"
        python = f"/usr/bin/{(base / 'usr/bin/python3').readlink()}"
        for path, text in environment_texts(framework, python=python).items():
            self._place(f"{environment}/{path}", text)
        for name in ("python", "python3"):
            self._link(f"{environment}/bin/{name}", python)

    def _place_nvidia_smi(self, host: HostConfig) -> None:
        """`nvidia-smi` as the process driver has it, with the few modules that it is made of."""
        for module in _MODULES:
            text = (
                ""
                if module.endswith("__init__.py")
                else files("fleet").joinpath(module).read_text()
            )
            self._place(f"{_LIBRARY}/fleet/{module}", text)
        gpus = [(gpu.name, gpu.memory_mib) for gpu in host.gpus]
        told = {"library": _LIBRARY, "gpus": gpus, "instance_id": host.instance_id}
        self._place("usr/bin/nvidia-smi", _NVIDIA_SMI.format(**told), mode=0o755)

    def _place(self, path: str, text: str, *, mode: int = 0o644) -> None:
        target = self._target(path)
        if not target.exists():
            target.write_text(text)
            target.chmod(mode)

    def _link(self, path: str, to: str) -> None:
        link = self._target(path)
        if not link.is_symlink():
            link.symlink_to(to)

    def _target(self, path: str) -> Path:
        """Where a path of the host lies, in folders that everybody reads."""
        target = self.upper / path
        for folder in reversed([each for each in target.parents if not each.exists()]):
            folder.mkdir()
            folder.chmod(0o755)  # the daemon's own umask hides what it makes
        return target


def _index(gateway: str) -> str:
    return f"http://{gateway}:{PACKAGES_PORT}/simple/"


def _pip(gateway: str) -> str:
    return f"[global]\nindex-url = {_index(gateway)}\ntrusted-host = {gateway}\n"
