"""Launches instances: checks a `LaunchSpec` as EC2 does, finds a pool with capacity and quota,
makes the instances.

The caller holds the cloud's lock. Hosts boot later, through `HostLives`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from moto.ec2.models.instances import Reservation
from moto.ec2.utils import random_reservation_id

from fleet.sandbox.cloud import prices
from fleet.sandbox.cloud.ec2 import catalog, faults, instance_faults, pool_faults
from fleet.sandbox.cloud.ec2.instance import SandboxInstance
from fleet.sandbox.cloud.ec2.volumes import Device, attach_devices, plan_devices

if TYPE_CHECKING:
    from fleet.sandbox.cloud.capacity import Market
    from fleet.sandbox.cloud.ec2.spec import LaunchSpec
    from fleet.sandbox.cloud.state import CloudState

MAX_USER_DATA = 16 * 1024


@dataclass(frozen=True)
class Checked:
    """A spec whose every name was resolved."""

    spec: LaunchSpec
    image: Any
    groups: list[Any]
    devices: list[Device]


@dataclass(frozen=True)
class Room:
    """How many more instances a pool can take, and the error when it is one too many."""

    instances: int
    fault: faults.Ec2Error


class Launcher:
    """Launches in one Region's backend."""

    def __init__(self, backend: Any, state: CloudState) -> None:
        self._backend = backend
        self._state = state

    def run(
        self, spec: LaunchSpec, *, least: int, most: int, dry_run: bool = False
    ) -> Reservation | None:
        """RunInstances: `most` instances in one zone, or at least `least`; else EC2's error. None
        for a dry run.
        """
        if not 1 <= least <= most:
            raise faults.Ec2Error("InvalidParameterValue", f"Invalid value '{least}' for minCount.")
        checked = self.check(spec, fleet=False)
        subnets = self.candidate_subnets(spec, fleet=False)
        fault: faults.Ec2Error | None = None
        for subnet in subnets:
            room = self.room(spec, subnet.availability_zone)
            if room.instances >= least:
                return None if dry_run else self.launch(checked, subnet, min(most, room.instances))
            fault = room.fault
        raise fault or faults.not_offered(spec.instance_type, "any", [], fleet=False)

    def check(self, spec: LaunchSpec, *, fleet: bool) -> Checked:
        """Resolve every name in the spec; raises the error of the first that EC2 would refuse."""
        image = self.image(spec.image_id)
        if catalog.instance_type(spec.instance_type) is None:
            raise faults.Ec2Error(
                "InvalidParameterValue", f"Invalid value '{spec.instance_type}' for InstanceType."
            )
        supported = catalog.architectures(spec.instance_type)
        if image.architecture not in supported:
            raise faults.architecture_mismatch(supported[0], image.architecture)
        if spec.key_name and spec.key_name not in self._backend.key_pairs:
            raise faults.not_found("InvalidKeyPair", spec.key_name)
        self._check_profile(spec)
        if len(spec.user_data or "") > MAX_USER_DATA * 4 // 3 + 4:
            raise faults.Ec2Error(
                "InvalidUserData.Malformed", "User data is limited to 16384 bytes"
            )
        if spec.shutdown_behavior not in {"stop", "terminate"}:
            raise faults.Ec2Error(
                "InvalidParameterValue",
                f"Invalid value '{spec.shutdown_behavior}' for InstanceInitiatedShutdownBehavior.",
            )
        self._check_usage_class(spec)
        subnets = self.candidate_subnets(spec, fleet=fleet)
        devices = plan_devices(
            image, spec.devices, encrypt_by_default=self._backend.get_ebs_encryption_by_default()
        )
        return Checked(spec, image, self._groups(spec, subnets[0].vpc_id), devices)

    def image(self, image_id: str) -> Any:
        """The image with the id; a `resolve:ssm:` reference is looked up first."""
        image = self._backend.amis.get(self._backend.resolve_image_id(image_id))
        if image is None:
            raise faults.not_found("InvalidAMIID", image_id)
        if image.state != "available":
            raise faults.unavailable(image_id)
        return image

    def _check_profile(self, spec: LaunchSpec) -> None:
        if spec.instance_profile:
            self._backend.find_instance_profile(spec.instance_profile)

    def _check_usage_class(self, spec: LaunchSpec) -> None:
        supported = catalog.instance_types()[spec.instance_type].get("SupportedUsageClasses") or [
            "on-demand",
            "spot",
        ]
        if spec.market not in supported:
            raise faults.Ec2Error(
                "Unsupported",
                f"The requested instance type {spec.instance_type} does not support {spec.market}.",
            )

    def _groups(self, spec: LaunchSpec, vpc_id: str) -> list[Any]:
        groups = []
        for group_id in spec.security_group_ids:
            group = self._backend.get_security_group_from_id(group_id)
            if group is None:
                raise faults.not_found("InvalidGroup", group_id)
            groups.append(group)
        for name in spec.security_group_names:
            group = self._backend.get_security_group_from_name(name, vpc_id)
            if group is None:
                raise faults.not_found("InvalidGroup", name)
            groups.append(group)
        wrong = next((group for group in groups if group.vpc_id != vpc_id), None)
        if wrong is not None:
            text = f"Security group {wrong.id} and subnet belong to different networks."
            raise faults.Ec2Error("InvalidParameter", text)
        return groups or [self._backend.get_default_security_group(vpc_id)]

    def candidate_subnets(self, spec: LaunchSpec, *, fleet: bool) -> list[Any]:
        """Subnets that the launch may go to; raises where the asked zone does not offer the type."""
        offering = catalog.zones_offering(self._backend.region_name, spec.instance_type)
        if spec.subnet_id:
            subnets = [self.subnet(spec.subnet_id)]
        else:
            defaults = self._backend.get_default_subnets()
            if spec.availability_zone and spec.availability_zone not in defaults:
                raise faults.Ec2Error(
                    "InvalidParameterValue",
                    f"Invalid availability zone: [{spec.availability_zone}]",
                )
            subnets = [
                subnet
                for zone, subnet in sorted(defaults.items())
                if spec.availability_zone in {None, zone}
                and (spec.availability_zone or zone in offering)
            ]
        if not subnets or subnets[0].availability_zone not in offering:
            zone = subnets[0].availability_zone if subnets else self._backend.region_name
            raise faults.not_offered(spec.instance_type, zone, list(offering), fleet=fleet)
        return subnets

    def subnet(self, subnet_id: str) -> Any:
        """The subnet with the id."""
        found = next(
            (
                s
                for by_zone in self._backend.subnets.values()
                for s in by_zone.values()
                if s.id == subnet_id
            ),
            None,
        )
        if found is None:
            raise faults.not_found("InvalidSubnetID", subnet_id)
        return found

    def most_of_a_fleet(self) -> int | None:
        """How many instances this CreateFleet may bring, where a fault says so."""
        return pool_faults.most_of_a_fleet(self._state.faults)

    def room(self, spec: LaunchSpec, zone: str) -> Room:
        """How many instances of the spec fit now into the pool, the quota and the price cap."""
        fault = pool_faults.refusal(self._state.faults, spec, zone)
        return self._real_room(spec, zone) if fault is None else Room(0, fault)

    def _real_room(self, spec: LaunchSpec, zone: str) -> Room:
        spot = spec.market == "spot"
        if spec.max_price is not None and spot:
            price = self.spot_price(spec.instance_type, zone)
            if price is not None and spec.max_price < price:
                return Room(0, faults.max_price_too_low(spec.max_price, price))
        limit = self._quota(spec.instance_type, spot=spot)
        if pool_faults.over_quota(self._state.faults, spec, zone):
            return Room(0, faults.over_quota(limit, spot=spot))
        by_quota = self.quota_room(spec.instance_type, spot=spot) // catalog.vcpus(
            spec.instance_type
        )
        emptied = pool_faults.no_capacity(self._state.faults, spec, zone)
        free = self.capacity_room(spec.instance_type, zone, spec.market)
        by_capacity = 0 if emptied else free
        if by_quota < by_capacity:
            return Room(by_quota, faults.over_quota(limit, spot=spot))
        others = [
            other
            for other in catalog.zones_offering(self._backend.region_name, spec.instance_type)
            if other != zone and self.capacity_room(spec.instance_type, other, spec.market) > 0
        ]
        return Room(by_capacity, faults.no_capacity(spec.instance_type, zone, others, spot=spot))

    def spot_price(self, instance_type: str, zone: str) -> float | None:
        """USD per hour now."""
        price = prices.spot_price_at(
            instance_type, zone, catalog.vcpus(instance_type), self._state.now()
        )
        return None if price is None else price.usd

    def capacity_room(self, instance_type: str, zone: str, market: Market) -> int:
        """Instances that the pool can still take."""
        if pool_faults.seems_empty(self._state.faults, instance_type, zone, market):
            return 0
        accelerated = "GpuInfo" in catalog.instance_types()[instance_type]
        limit = self._state.capacity.limit(instance_type, zone, market, accelerated=accelerated)
        used = sum(
            1
            for instance in self._backend.all_instances()
            if instance.counted
            and instance.instance_type == instance_type
            and instance.availability_zone == zone
            and instance.spec.market == market
        )
        return max(limit - used, 0)

    def _quota(self, instance_type: str, *, spot: bool) -> int:
        code = catalog.quota_code(instance_type, spot=spot)
        return self._state.quotas.limit(code, region=self._backend.region_name)

    def quota_room(self, instance_type: str, *, spot: bool) -> int:
        """vCPUs that the account may still run of the type's family."""
        code = catalog.quota_code(instance_type, spot=spot)
        used = sum(
            catalog.vcpus(instance.instance_type)
            for instance in self._backend.all_instances()
            if instance.counted
            and (instance.spec.market == "spot") == spot
            and catalog.quota_code(instance.instance_type, spot=spot) == code
        )
        return max(self._quota(instance_type, spot=spot) - used, 0)

    def launch(self, checked: Checked, subnet: Any, count: int) -> Reservation:
        """Make `count` instances in the subnet. The pool was found to have room for them."""
        spec = replace(checked.spec, image_id=checked.image.id)
        if subnet.available_ip_address_count < count:
            text = (
                f"There are not enough free addresses in subnet '{subnet.id}' to satisfy the "
                "requested number of instances."
            )
            raise faults.Ec2Error("InsufficientFreeAddressesInSubnet", text)
        reservation = Reservation(random_reservation_id(), owner_id=self._backend.account_id)
        self._backend.reservations[reservation.id] = reservation
        for index in range(count):
            instance = SandboxInstance(  # type: ignore[abstract]  # so does moto with its own
                self._backend,
                spec,
                subnet_id=subnet.id,
                groups=list(checked.groups),
                address=self._state.addresses(),
                index=index,
            )
            reservation.instances.append(instance)
            self._finish(instance, checked)
            instance_faults.hide(self._state, instance)
        return reservation

    def _finish(self, instance: SandboxInstance, checked: Checked) -> None:
        spec = checked.spec
        instance.add_tags({**spec.tags.get("instance", {}), **self._origin_tags(spec)})
        instance.nics[0].add_tags(dict(spec.tags.get("network-interface", {})))
        attach_devices(self._backend, instance, checked.devices, dict(spec.tags.get("volume", {})))
        if instance.spot_instance_request_id:
            self._backend.create_tags(
                [instance.spot_instance_request_id],
                dict(spec.tags.get("spot-instances-request", {})),
            )
        if spec.instance_profile:
            self._backend.attach_profile(instance.id, spec.instance_profile)
        self._backend.lives.begin(instance)

    def _origin_tags(self, spec: LaunchSpec) -> dict[str, str]:
        tags = {}
        if spec.template is not None:
            tags["aws:ec2launchtemplate:id"] = spec.template.template_id
            tags["aws:ec2launchtemplate:version"] = str(spec.template.version)
        if spec.fleet_id:
            tags["aws:ec2:fleet-id"] = spec.fleet_id
        return tags
