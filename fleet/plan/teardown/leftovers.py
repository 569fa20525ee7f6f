"""What is left, or kept: why, what it costs a month, and the AWS CLI command that removes it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import cast

from fleet.plan import tags
from fleet.plan.facts.hardware import Prices
from fleet.plan.hardware.prices import HOURS_PER_MONTH, volume_hourly
from fleet.plan.money import as_number
from fleet.plan.teardown.resources import KINDS, Kind, Resource
from fleet.spec.storage import Volume, VolumeType

PROTECTED = "OperationNotPermitted"
"""EC2's code for an instance with termination protection."""

_BILLED_STATES = frozenset({"pending", "running"})
_REMOVAL: dict[Kind, str] = {
    "instances": "ec2 terminate-instances --instance-ids",
    "spot_requests": "ec2 cancel-spot-instance-requests --spot-instance-request-ids",
    "volumes": "ec2 delete-volume --volume-id",
    "network_interfaces": "ec2 delete-network-interface --network-interface-id",
    "security_groups": "ec2 delete-security-group --group-id",
    "key_pairs": "ec2 delete-key-pair --key-pair-id",
    "launch_templates": "ec2 delete-launch-template --launch-template-id",
    "images": "ec2 deregister-image --image-id",
    "snapshots": "ec2 delete-snapshot --snapshot-id",
    "parameters": "ssm delete-parameter --name",
}


@dataclass(frozen=True)
class Leftover:
    """A resource that is still there. `monthly_usd` is USD per month of 30 days; None where a price is unknown."""

    kind: Kind
    resource_id: str
    reason: str
    monthly_usd: Decimal | None
    command: str

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape."""
        return {
            "kind": self.kind,
            "id": self.resource_id,
            "reason": self.reason or None,
            "monthly_usd": as_number(
                None if self.monthly_usd is None else round(self.monthly_usd, 6)
            ),
            "command": self.command,
        }


def ids_by_kind(found: Iterable[Leftover]) -> dict[Kind, tuple[str, ...]]:
    """Sort ids by kind; every kind is there."""
    each = tuple(found)
    return {kind: tuple(one.resource_id for one in each if one.kind == kind) for kind in KINDS}


def leftover(
    resource: Resource, *, reason: str, code: str, prices: Prices, region: str
) -> Leftover:
    """Describe what is left; `code` is AWS's reason, where it gave one."""
    return Leftover(
        kind=resource.kind,
        resource_id=resource.resource_id,
        reason=reason,
        monthly_usd=monthly_usd(resource, prices),
        command=removal_command(resource, region=region, protected=code == PROTECTED),
    )


def removal_command(resource: Resource, *, region: str, protected: bool = False) -> str:
    """Give the AWS CLI command that removes a resource."""
    service, rest = _REMOVAL[resource.kind].split(" ", 1)
    command = f"aws {service} --region {region} {rest} {resource.resource_id}"
    if not protected:
        return command
    return (
        f"aws ec2 --region {region} modify-instance-attribute --instance-id "
        f"{resource.resource_id} --no-disable-api-termination && {command}"
    )


def types_to_price(resources: Iterable[Resource]) -> tuple[str, ...]:
    """Name the instance types whose prices are needed."""
    return tuple(sorted({r.detail for r in resources if r.kind == "instances"}))


def monthly_usd(resource: Resource, prices: Prices) -> Decimal | None:
    """USD per month of 30 days; None where a price is unknown. A snapshot is priced at its full size: at most that."""
    if resource.kind == "instances":
        return _instance(resource, prices)
    if resource.kind == "volumes":
        return _volume(resource, prices)
    if resource.kind == "snapshots":
        rate = prices.rates.get("snapshot")
        return None if rate is None else rate * resource.size_gib
    return Decimal(0)


def _instance(resource: Resource, prices: Prices) -> Decimal | None:
    """A stopped instance costs nothing but its volumes, which are listed apart."""
    if resource.state not in _BILLED_STATES:
        return Decimal(0)
    told = resource.tags.get(tags.HOURLY_USD, "")
    hourly = Decimal(told) if _is_amount(told) else prices.on_demand.get(resource.detail)
    address = prices.rates.get("address") if resource.public_address else Decimal(0)
    if hourly is None or address is None:
        return None
    return (hourly + address) * HOURS_PER_MONTH


def _is_amount(text: str) -> bool:
    return text.replace(".", "", 1).isdigit()


def _volume(resource: Resource, prices: Prices) -> Decimal | None:
    shape = Volume.model_construct(
        size_gib=resource.size_gib,
        type=cast("VolumeType", resource.detail),  # EC2's own; an unknown one has no rate
        iops=resource.iops,
        throughput=resource.throughput,
    )
    hourly = volume_hourly(shape, prices.rates)
    return None if hourly is None else hourly * HOURS_PER_MONTH
