"""One instance: moto's model with the states, addresses and block devices of a host that really
boots.
"""

from __future__ import annotations

import base64
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from moto.core.types import Base64EncodedString
from moto.ec2.models.instances import Instance, InstanceState, StateReason
from moto.ec2.utils import random_spot_request_id

if TYPE_CHECKING:
    from fleet.sandbox.cloud.ec2.spec import LaunchSpec
    from fleet.sandbox.driver import HostConfig

STATES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
COUNTED = frozenset({"pending", "running"})
"""States that use capacity and quota: stopped instances do not count."""


class SandboxInstance(Instance):
    """An instance with its host's address. Its state changes only through `HostLives`.

    `hidden_by`: a fault hides it from descriptions until the time, or until the fault is cleared.
    `dead`: it runs, but its host never boots. `spot_end_code`: with what its Spot request ended, where EC2 ended it.
    """

    def __init__(
        self,
        backend: Any,
        spec: LaunchSpec,
        *,
        subnet_id: str,
        groups: list[Any],
        address: str,
        index: int,
    ) -> None:
        self.address = address
        self.spec = spec
        self.driver_turn = threading.Lock()
        self.host: HostConfig | None = None
        self.hidden_by: tuple[threading.Event, datetime] | None = None
        self.dead = False
        self.spot_end_code = ""
        user_data = None if spec.user_data is None else Base64EncodedString(spec.user_data)
        super().__init__(
            backend,
            spec.image_id,
            user_data,
            groups,
            instance_type=spec.instance_type,
            region_name=backend.region_name,
            subnet_id=subnet_id,
            key_name=spec.key_name,
            ami_launch_index=index,
            ebs_optimized=spec.ebs_optimized,
            monitoring_state="enabled" if spec.monitoring else "disabled",
            disable_api_termination=spec.disable_api_termination,
            disable_api_stop=spec.disable_api_stop,
            instance_initiated_shutdown_behavior=spec.shutdown_behavior,
            associate_public_ip=spec.associate_public_ip,
            metadata_options=spec.metadata_options,
            client_token=spec.client_token,
            lifecycle="spot" if spec.market == "spot" else None,
            nics=[],
        )
        self.spot_instance_request_id = random_spot_request_id() if spec.market == "spot" else None
        self.fleet_id = spec.fleet_id
        self._public = bool(self.associate_public_ip)
        self.set_state("pending")
        self._own_address()

    def set_state(self, name: str) -> None:
        """Enter a state; the reason of an earlier one is forgotten when the instance is pending."""
        self._state = InstanceState(name, STATES[name])
        if name == "pending":
            self._reason = ""
            self.state_reason = StateReason()

    def set_reason(self, code: str, message: str) -> None:
        """Why the instance stopped or ended."""
        when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S GMT")
        word = "User initiated" if code.endswith("UserInitiatedShutdown") else "Client initiated"
        word = "Service initiated" if code.startswith("Server.") else word
        self._reason = f"{word} ({when})"
        self.state_reason = StateReason(f"{code}: {message}", code)

    @property
    def counted(self) -> bool:
        """Whether the instance uses capacity and quota."""
        return self._state.name in COUNTED

    @property
    def user_data_bytes(self) -> bytes:
        """The user data as the host sees it, decoded."""
        return base64.b64decode(self.spec.user_data) if self.spec.user_data else b""

    @property
    def public_dns_name(self) -> str | None:
        """The host's address: no name server knows a name for it."""
        return self.public_ip

    @property
    def private_ip(self) -> str | None:
        """None once the interface is gone with the instance."""
        return self.nics[0].private_ip_address if self.nics else None

    @property
    def private_ip_address(self) -> str | None:
        """The same, under the name that DescribeInstances looks for."""
        return self.private_ip

    @property
    def public_ip(self) -> str | None:
        """None for a stopped or terminated instance."""
        return self.nics[0].public_ip if self.nics else None

    @property
    def public_ip_address(self) -> str | None:
        """The same, under the name that DescribeInstances looks for."""
        return self.public_ip

    @property
    def private_dns_name(self) -> str:
        """EC2's IP-based name; empty for a terminated instance."""
        return (
            "" if self.private_ip is None else f"ip-{self.address.replace('.', '-')}.ec2.internal"
        )

    def _own_address(self) -> None:
        interface = self.nics[0]
        interface.delete_on_termination = self.spec.delete_interface
        interface.private_ip_address = self.address
        interface.private_ip_addresses = [
            {
                "Primary": True,
                "PrivateIpAddress": self.address,
                "PrivateDnsName": self.private_dns_name,
            }
        ]
        interface.private_dns_name = self.private_dns_name
        interface.public_ip_auto_assign = False
        self.show_public_address()

    def show_public_address(self) -> None:
        """A public address comes with a start, where the subnet or the request says so."""
        self.nics[0].public_ip = self.address if self._public else None

    def hide_public_address(self) -> None:
        """A stopped instance keeps its private address only."""
        for interface in self.nics.values():
            interface.public_ip = None

    def release(self) -> None:
        """Give interfaces, subnet addresses and volumes back, as a terminated instance does."""
        for interface in list(self.nics.values()):
            interface.public_ip = None
            if interface.delete_on_termination:
                interface.delete()
        self.teardown_defaults()
        subnet = self.ec2_backend.get_subnet(self.subnet_id)
        for address in self._private_ips:
            subnet.del_subnet_ip(address)
        self._private_ips.clear()
        self.nics = {}
        self.security_groups = []
        self._subnet_id = None
        association = self.ec2_backend.iam_instance_profile_associations.get(self.id)
        if association:
            self.ec2_backend.disassociate_iam_instance_profile(
                association_id=association.association_id
            )

    def __del__(self) -> None:
        """moto gives addresses back here, at a time nobody knows; `release` has done it."""
