"""Small worlds to plan in: a spec and what was observed, with one thing changed at a time."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from fleet.assets.shipped import load_catalogue, load_launch_texts
from fleet.plan import tags
from fleet.plan.environment.local_files import LocalFiles
from fleet.plan.facts.account import Identity
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.hardware import InstanceTypeFact, Prices, QuotaFacts
from fleet.plan.facts.images import ImageFact
from fleet.plan.facts.launch import Observed, Owned
from fleet.plan.facts.network import SubnetFact
from fleet.plan.launch.plan import Plan, plan_launch
from fleet.spec.load import load_spec
from fleet.spec.model import FleetSpec

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)

SPEC = """
name: workshop
members: [ana, ben, chloe]
image: {framework: pytorch}
instances: {types: [g5.xlarge, g4dn.xlarge]}
volume: 100GiB
expires: 8h
"""


def no_file(name: str) -> bytes:
    raise FileNotFoundError(name)


def spec(text: str = SPEC) -> FleetSpec:
    return load_spec(text.encode(), file="fleet.yaml", read=no_file, exists=lambda _: True)


def gpu_type(name: str, **changes: object) -> InstanceTypeFact:
    fact = InstanceTypeFact(name, 4, 16384, ("x86_64",), 1, "A10G")
    return dataclasses.replace(fact, **changes)  # type: ignore[arg-type]


def observed(**changes: object) -> Observed:
    facts = Observed(
        identity=Identity("123456789012", "arn:aws:iam::123456789012:user/teacher"),
        region="us-east-1",
        caller_cidr="203.0.113.7/32",
        images=(
            ImageFact(
                "ami-0123456789abcdef0",
                "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.9 (Ubuntu 24.04) 20260701",
                "898082745236",
                "x86_64",
                datetime(2026, 7, 1, tzinfo=UTC),
                "/dev/sda1",
                75,
                "available",
            ),
        ),
        instance_types={name: gpu_type(name) for name in ("g5.xlarge", "g4dn.xlarge")},
        offerings={
            "g5.xlarge": frozenset({"us-east-1a", "us-east-1b"}),
            "g4dn.xlarge": frozenset({"us-east-1b"}),
        },
        subnets=(
            SubnetFact("subnet-a", "vpc-1", "us-east-1a", 4000, "use1-az6", "igw-1"),
            SubnetFact("subnet-b", "vpc-1", "us-east-1b", 4000, "use1-az1", "igw-1"),
        ),
        prices=Prices({"g5.xlarge": Decimal("1.006"), "g4dn.xlarge": Decimal("0.526")}, {}),
        owned=Owned(),
        quotas=QuotaFacts({"L-DB2E81BA": 512, "L-3819A6DF": 512}),
    )
    return dataclasses.replace(facts, **changes)  # type: ignore[arg-type]


def instance(number: int, member: str | None, state: str = "running") -> InstanceFact:
    own = {tags.FLEET: "workshop", tags.HOURLY_USD: "1.006"}
    if member:
        own[tags.MEMBER] = member
    return InstanceFact(
        instance_id=f"i-{number:017d}",
        state=state,
        instance_type="g5.xlarge",
        availability_zone="us-east-1a",
        market="on-demand",
        image_id="ami-0123456789abcdef0",
        public_address=f"203.0.113.{number}",
        private_address=f"172.31.0.{number}",
        launched_at=NOW - timedelta(hours=1, minutes=-number),
        tags=own,
    )


def plan(wanted: FleetSpec | None = None, facts: Observed | None = None) -> Plan:
    return plan_launch(
        wanted or spec(),
        facts or observed(),
        now=NOW,
        texts=load_launch_texts(),
        files=LocalFiles(),
        catalogue=load_catalogue(),
    )
