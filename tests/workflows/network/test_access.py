"""Rules of a real security group: made by `up`, shown, refreshed, allowed and revoked; never piled up."""

from __future__ import annotations

import dataclasses

import pytest

from fleet.aws.network import describe_security_groups, ensure_ingress
from fleet.errors import NothingFoundError, UsageError
from fleet.plan.facts.network import IngressRule, tcp
from fleet.workflows.launch.prerequisites import ensure_prerequisites
from fleet.workflows.network.access import (
    AccessReport,
    allow,
    checked_sources,
    describe_access,
    refresh,
    revoke,
)
from tests.workflows.conftest import World

pytestmark = pytest.mark.slow

SPEC_CIDR, ME = "203.0.113.0/24", "127.0.0.1/32"
PORTS = ("22", "6006", "8888")


def doors(report: AccessReport) -> dict[str, str]:
    for door in report.sources:
        assert door.ports == PORTS or door.by == "foreign", door
    return {door.cidr: door.by for door in report.sources}


def up(world: World, **changes: str) -> dict[str, str]:
    """Make what instances are launched with, the security group among it."""
    ensure_prerequisites(world.context, world.plan(**changes))
    return doors(describe_access(world.context, "workshop"))


def test_up_makes_the_spec_s_rules(world: World) -> None:
    assert up(world) == {SPEC_CIDR: "up"}
    assert up(world, access="{from: [me, '2001:db8::/32']}") == {ME: "up", "2001:db8::/32": "up"}


def test_what_was_allowed_stays_until_it_is_revoked(world: World) -> None:
    up(world)
    report = allow(world.context, "workshop", ["198.51.100.0/24", "2001:db8::/32"])
    assert doors(report) == {SPEC_CIDR: "up", "198.51.100.0/24": "allow", "2001:db8::/32": "allow"}
    assert doors(describe_access(world.context, "workshop")) == doors(report)
    assert up(world) == doors(report), "up keeps what was allowed"
    assert not world.plan().ingress - describe_group(world)
    report = revoke(world.context, "workshop", ["198.51.100.0/24", "2001:db8::/32"])
    assert doors(report) == {SPEC_CIDR: "up"}


def describe_group(world: World) -> frozenset[IngressRule]:
    (group,) = describe_security_groups(world.context.aws, fleet="workshop")
    return group.ingress


def test_allowing_what_the_spec_lists_makes_it_stay(world: World) -> None:
    up(world)
    assert doors(allow(world.context, "workshop", [SPEC_CIDR])) == {SPEC_CIDR: "allow"}
    assert doors(allow(world.context, "workshop", [SPEC_CIDR])) == {SPEC_CIDR: "allow"}
    assert up(world, access="{from: [me]}") == {SPEC_CIDR: "allow", ME: "up"}


def test_refresh_replaces_the_old_address(world: World) -> None:
    up(world, access="{from: [me]}")
    (group,) = describe_security_groups(world.context.aws, fleet="workshop")
    old = frozenset(dataclasses.replace(rule, cidr="192.0.2.1/32") for rule in group.ingress)
    ensure_ingress(world.context.aws, group, wanted=old)
    assert doors(describe_access(world.context, "workshop")) == {"192.0.2.1/32": "up"}
    for _ in range(3):
        assert doors(refresh(world.context, "workshop")) == {ME: "up"}


def test_allowing_oneself_again_replaces_too(world: World) -> None:
    up(world)
    allow(world.context, "workshop", ["me"])
    assert doors(allow(world.context, "workshop", ["me"])) == {SPEC_CIDR: "up", ME: "allow"}
    assert doors(refresh(world.context, "workshop")) == {SPEC_CIDR: "up", ME: "allow"}
    assert doors(revoke(world.context, "workshop", ["me"])) == {SPEC_CIDR: "up"}


def test_foreign_rules_are_shown_and_removed_by_up(world: World) -> None:
    up(world)
    (group,) = describe_security_groups(world.context.aws, fleet="workshop")
    foreign = frozenset({tcp(443, "0.0.0.0/0"), IngressRule(-1, -1, "10.0.0.0/8", "-1")})
    ensure_ingress(world.context.aws, group, wanted=group.ingress | foreign)
    shown = describe_access(world.context, "workshop")
    assert {(d.cidr, d.ports) for d in shown.sources if d.by == "foreign"} == {
        ("0.0.0.0/0", ("443",)),
        ("10.0.0.0/8", ("all",)),
    }
    assert up(world) == {SPEC_CIDR: "up"}


def test_rules_that_somebody_else_has_changed_meanwhile(world: World) -> None:
    up(world)
    (stale,) = describe_security_groups(world.context.aws, fleet="workshop")
    allow(world.context, "workshop", ["198.51.100.0/24"])
    wanted = frozenset(
        tcp(port, cidr) for port in (22, 8888) for cidr in ("198.51.100.0/24", "::/0")
    )
    ensure_ingress(world.context.aws, stale, wanted=wanted | stale.ingress)
    found = {rule.cidr for rule in describe_group(world)}
    assert found == {SPEC_CIDR, "198.51.100.0/24", "::/0"}


def test_what_is_not_there_is_told(world: World) -> None:
    with pytest.raises(NothingFoundError, match="fleet workshop has no security group"):
        describe_access(world.context, "workshop")
    up(world)
    with pytest.raises(NothingFoundError, match=r"192\.0\.2\.0/24 may not come in"):
        revoke(world.context, "workshop", ["192.0.2.0/24"])


@pytest.mark.parametrize(
    "text", ["10.0.0.1", "everybody", "10.0.0.1/8", "2001:db8::1", "10.0.0.0/33"]
)
def test_bad_cidrs_are_told(text: str) -> None:
    with pytest.raises(UsageError, match=r": write"):
        checked_sources([text])
