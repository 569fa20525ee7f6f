"""Writes a plan for scripts: everything that `up` will do, as plain JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from fleet.plan import tags
from fleet.plan.hardware.cost import for_hours
from fleet.plan.hardware.quotas import check_as_json
from fleet.plan.launch.plan import Plan
from fleet.plan.money import as_number
from fleet.plan.record.members import Assignment


def plan_as_json(plan: Plan, *, now: datetime) -> dict[str, object]:
    """Give the plan as JSON; prices are USD per hour where not named otherwise, null where unknown."""
    return {
        "fleet": plan.fleet,
        "region": plan.region,
        "account_id": plan.account_id,
        "image": {"id": plan.image.image_id, "name": plan.image.name, "why": plan.image.why},
        "needs": plan.spec.instances.model_dump(
            mode="json",
            include={"gpus", "gpu_memory_gib", "vcpus", "memory_gib"},
            exclude_none=True,
        ),
        "pools": [
            {
                "instance_type": pool.instance_type,
                "availability_zone": pool.availability_zone,
                "subnet_id": pool.subnet_id,
                "on_demand_usd": as_number(pool.on_demand_usd),
                "spot_usd": as_number(pool.spot_usd),
                "spot_placement_score": pool.spot_score,
            }
            for pool in plan.pools
        ],
        "markets": list(plan.markets),
        "network": {
            "vpc_id": plan.network.vpc_id,
            "public_addresses": plan.spec.access.public,
            "way": plan.network.access_path.kind,
            "bastion": plan.network.access_path.bastion or None,
            "spare_subnets": {zone: list(ids) for zone, ids in plan.network.spares.items() if ids},
            "instance_profile": plan.template.profile,
        },
        "ingress": [{"port": rule.from_port, "from": rule.cidr} for rule in sorted(plan.ingress)],
        "volume": plan.spec.volume.model_dump(mode="json"),
        "expires_at": tags.expiry_text(plan.expires_at) if plan.expires_at else None,
        "idle_seconds": plan.spec.idle.total_seconds() if plan.spec.idle else None,
        "interruption": plan.spec.interruption.model_dump(mode="json"),
        "keep": _assigned(plan.members.keep),
        "start": _assigned(plan.members.start),
        "adopt": _assigned(plan.members.adopt),
        "launch": [member.name for member in plan.members.launch],
        "surplus": [instance.instance_id for instance in plan.members.surplus],
        "hourly_usd": as_number(plan.hourly_usd),
        "hourly_usd_at_most": as_number(plan.hourly_usd_at_most),
        "cost": _cost(plan, now=now),
        "price_notes": list(plan.price_notes),
        "placement_notes": list(plan.placement_notes),
        "quotas": [check_as_json(check) for check in plan.quotas.checks if check.needed],
        "warnings": list(plan.warnings),
    }


def _cost(plan: Plan, *, now: datetime) -> dict[str, float | None]:
    """The parts of the price, and its sums at the dearest choice of pool."""
    cost, most = plan.cost, plan.cost.hourly_at_most
    left = None if plan.expires_at is None else max(plan.expires_at - now, timedelta(0))
    whole = None if left is None else for_hours(most, left)
    return {
        "instances_hourly_usd": as_number(cost.instances),
        "instances_hourly_usd_at_most": as_number(cost.instances_at_most),
        "volumes_hourly_usd": as_number(cost.volumes),
        "addresses_hourly_usd": as_number(cost.addresses),
        "member_hourly_usd_at_most": as_number(cost.each(most)),
        "daily_usd_at_most": as_number(for_hours(most, timedelta(days=1))),
        "until_expiry_usd_at_most": as_number(whole),
        "member_until_expiry_usd_at_most": as_number(cost.each(whole)),
    }


def _assigned(assignments: Sequence[Assignment]) -> list[dict[str, str]]:
    return [{"member": a.member.name, "instance_id": a.instance.instance_id} for a in assignments]
