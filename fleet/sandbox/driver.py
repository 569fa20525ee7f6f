"""What the sandbox's cloud asks of a host driver, and what a driver is told of a host.

The cloud (the EC2 endpoint) decides when a host lives; a driver makes it live. Neither knows how the other works.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Gpu:
    """One GPU as `nvidia-smi` reports it. `memory_mib` is its total memory in MiB."""

    name: str
    memory_mib: int


@dataclass(frozen=True)
class Framework:
    """What an image comes with: `pytorch` or `tensorflow`, of a version such as 2.7.0."""

    name: str
    version: str


@dataclass(frozen=True)
class Ailment:
    """What a host is born with: the fault's name, and its measure in the fault's own words ("2mbit")."""

    name: str
    amount: str = ""


@dataclass(frozen=True)
class HostConfig:
    """All that a host needs to know to boot.

    `address` serves as its public and its private address: a loopback address, or a container's own.
    `boot_seconds` is the time from the call of `boot` until its SSH server listens; a container
    takes what it takes.
    `authorized_keys` are lines in OpenSSH's public key format, accepted for `user`.
    `user_data` is what the instance was launched with, decoded.
    `metadata_url` is where the host finds its instance metadata, if not at 169.254.169.254.
    `kept_disk` names a disk that `HostDriver.keep` has kept: the host begins with it. Empty where the image is AWS's.
    `ailments`: what is wrong with the host from its first boot on; only container hosts have any.
    """

    instance_id: str
    address: str
    ssh_port: int
    user: str
    authorized_keys: tuple[str, ...]
    gpus: tuple[Gpu, ...]
    user_data: bytes
    boot_seconds: float
    metadata_url: str = ""
    framework: Framework | None = None
    kept_disk: str = ""
    ailments: tuple[Ailment, ...] = ()


PowerOff = Callable[[str], None]
"""Called with the instance id when a host has powered itself off."""


class HostDriver(Protocol):
    """Boots hosts and ends them. Safe to call from several threads."""

    def boot(self, host: HostConfig) -> None:
        """Begin to boot and return at once. A host that was powered off boots again with its disk."""

    def power_off(self, instance_id: str) -> None:
        """End every process of the host, keep its disk; return when the last process is gone."""

    def destroy(self, instance_id: str) -> None:
        """End every process of the host and remove its disk; return when both are gone."""

    def keep(self, instance_id: str, name: str) -> None:
        """Keep a copy of the host's disk for images; return when it is whole.

        Of what a host writes meanwhile, some may be in it.
        """

    def forget(self, name: str) -> None:
        """Remove a kept disk. Hosts that began with it keep theirs."""

    def console(self, instance_id: str) -> str:
        """The console output so far, with cloud-init's SSH HOST KEY KEYS block once it has booted."""

    def count(self) -> int:
        """How many hosts there are, powered off or not."""

    def close(self) -> None:
        """Destroy every host."""
