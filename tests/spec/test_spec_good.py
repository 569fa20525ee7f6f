"""What good specs mean, field by field: NAME.yaml and what differs from the defaults in NAME.json."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import ValidationError

from fleet.spec.access import Access
from fleet.spec.model import (
    Bootstrap,
    FleetSpec,
    ImageSelector,
    Instances,
    Member,
    Volume,
)
from tests.spec.cases import EXAMPLES, HERE, PLAIN, load, load_text

GOOD = sorted((HERE / "good").glob("*.yaml"))


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_a_good_spec_means_what_is_expected(path: Path) -> None:
    expected = json.loads(path.with_suffix(".json").read_text())
    assert load(path).model_dump(mode="json", exclude_defaults=True) == expected


def test_the_defaults() -> None:
    assert load_text(PLAIN) == FleetSpec(
        name="workshop",
        region=None,
        members=(Member(name="ana"), Member(name="ben"), Member(name="chloe")),
        image=ImageSelector(framework="pytorch"),
        instances=Instances(types=("g5.xlarge",), market="on-demand", max_price=None),
        volume=Volume(size_gib=100, type="gp3", iops=None, throughput=None, kms_key=None),
        access=Access(sources=("me",)),
        expires=timedelta(hours=8),
        idle=None,
        bootstrap=Bootstrap(packages=(), git=(), files=(), script=None),
        min_ready=None,
    )


@pytest.mark.parametrize(
    ("name", "members", "market", "expires"),
    [
        ("workshop", ["ana", "ben", "chloe"], "on-demand", 8),
        ("classroom", [f"env-{n:02d}" for n in range(1, 21)], "spot-first", 4),
        ("roster", ["ana", "Ben O'Neill", "Chloé Martin"], "on-demand", 8),
    ],
)
def test_the_examples(name: str, members: list[str], market: str, expires: int) -> None:
    spec = load(EXAMPLES / f"{name}.yaml")
    assert [member.name for member in spec.members] == members
    assert spec.instances.market == market
    assert spec.expires == timedelta(hours=expires)


def test_the_digest_ignores_the_members_and_how_things_are_spelled() -> None:
    spec = load_text(PLAIN)
    assert spec.digest() == load_text(PLAIN.replace(", chloe", "")).digest()
    assert spec.digest() == load_text(PLAIN.replace("8h", "480m") + "volume: 100GiB\n").digest()
    assert spec.digest() != load_text(PLAIN.replace("8h", "9h")).digest()
    assert spec.digest() != load_text(PLAIN + "volume: 200GiB\n").digest()
    assert len(spec.digest()) == 12


def test_the_digest_is_the_same_in_every_release() -> None:
    """It stands in the tags of running fleets: a change here makes them all look changed."""
    assert load_text(PLAIN).digest() == "1ed951e2c833"


@pytest.mark.parametrize("price", ["0.60", "0.6", "0.6000"])
def test_one_price_has_one_digest(price: str) -> None:
    instances = Instances.model_validate(
        {"types": ["g5.xlarge"], "market": "spot", "max_price": price}
    )
    assert str(instances.max_price) == "0.6"


def test_a_round_price_stays_readable() -> None:
    instances = Instances(types=("g5.xlarge",), market="spot", max_price=Decimal("100.00"))
    assert str(instances.max_price) == "100"


def test_models_are_frozen_and_closed() -> None:
    volume = Volume()
    with pytest.raises(ValidationError):
        volume.size_gib = 5  # type: ignore[misc]
    with pytest.raises(ValidationError):
        Volume.model_validate({"size_gb": 5})


def test_python_callers_meet_the_same_rules() -> None:
    with pytest.raises(ValidationError, match="too small for gp3: write 1GiB"):
        Volume(size_gib=0)
    with pytest.raises(ValidationError, match=r"write 10\.0\.0\.0/8"):
        Access(sources=("10.0.0.5/8",))


def test_a_key_does_not_show_in_an_error() -> None:
    with pytest.raises(ValidationError) as raised:
        Member(name="ana", ssh_key="-----BEGIN OPENSSH PRIVATE KEY----- b3BlbnNzaC1rZXk")
    assert "b3BlbnNzaC1rZXk" not in str(raised.value)
