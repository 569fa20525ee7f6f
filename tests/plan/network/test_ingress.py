"""Rules of the security group: the spec's, those allowed by hand, and whose address is whose."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from fleet.plan.facts.network import IngressRule, tcp
from fleet.plan.network.ingress import (
    Caller,
    allowed_ingress,
    is_mine,
    opens_to_all,
    origin,
    refreshed_ingress,
    spec_ingress,
)

NOW = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)
EC2_TAKES = re.compile(r"[A-Za-z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")


def caller(name: str = "user/ana", cidr: str = "203.0.113.7/32") -> Caller:
    return Caller(f"arn:aws:iam::123456789012:{name}", cidr, NOW)


def cidrs(rules: frozenset[IngressRule]) -> dict[str, str]:
    assert {rule.from_port for rule in rules} <= {22, 6006, 8888}
    return {rule.cidr: rule.description for rule in rules}


def test_rules_say_who_made_them_and_when() -> None:
    found = spec_ingress(("me", "2001:db8::/32"), caller(), ())
    assert len(found) == 6
    assert cidrs(found) == {
        "203.0.113.7/32": "fleet up: me of ana 2026-11-21 09:00Z",
        "2001:db8::/32": "fleet up: by ana 2026-11-21 09:00Z",
    }


@pytest.mark.parametrize(
    "name", ["user/" + "x" * 300, "assumed-role/Admin/ana@example.org", "user/a'<é>"]
)
def test_descriptions_are_what_ec2_takes(name: str) -> None:
    for rules in (spec_ingress(["me"], caller(name), ()), allowed_ingress(["me"], caller(name))):
        for rule in rules:
            assert EC2_TAKES.fullmatch(rule.description)
            assert is_mine(rule, caller(name))


def test_up_keeps_what_was_allowed_and_drops_everything_else() -> None:
    allowed = allowed_ingress(["198.51.100.0/24"], caller("user/ben"))
    before = spec_ingress(["me", "192.0.2.0/24"], caller(cidr="203.0.113.1/32"), ())
    foreign = frozenset({tcp(22, "0.0.0.0/0"), IngressRule(-1, -1, "10.0.0.0/8", "-1")})
    found = spec_ingress(["me"], caller(), before | allowed | foreign)
    assert set(cidrs(found)) == {"203.0.113.7/32", "198.51.100.0/24"}
    assert {origin(rule) for rule in found} == {"up", "allow"}
    assert {origin(rule) for rule in foreign} == {"foreign"}


def test_refresh_replaces_the_callers_own_address_alone() -> None:
    mine = spec_ingress(["me", "192.0.2.0/24"], caller(cidr="203.0.113.1/32"), ())
    bens = allowed_ingress(["me"], caller("user/ben", "198.51.100.9/32"))
    found = refreshed_ingress(caller(), mine | bens)
    assert set(cidrs(found)) == {"203.0.113.7/32", "192.0.2.0/24", "198.51.100.9/32"}
    assert refreshed_ingress(caller(), found) == found
    again = refreshed_ingress(caller("user/ben", "198.51.100.10/32"), found)
    assert cidrs(again)["198.51.100.10/32"].startswith("fleet allow: me of ben ")
    assert "198.51.100.9/32" not in cidrs(again)


def test_a_name_that_begins_like_another_is_another() -> None:
    annas = spec_ingress(["me"], caller("user/anna"), ())
    assert not any(is_mine(rule, caller("user/ann")) for rule in annas)


def test_the_whole_internet() -> None:
    assert opens_to_all(["10.0.0.0/8", "::/0"])
    assert opens_to_all(["0.0.0.0/0"])
    assert not opens_to_all(["10.0.0.0/8"])


def test_where_all_goes_inside_ssh_nobody_opens_another_port() -> None:
    open_before = allowed_ingress(["198.51.100.0/24"], caller("user/ben"))
    found = spec_ingress(["me"], caller(), open_before, ports=(22,))
    assert {rule.from_port for rule in found} == {22}
    assert {rule.from_port for rule in allowed_ingress(["192.0.2.0/24"], caller(), found)} == {22}
    assert {rule.from_port for rule in refreshed_ingress(caller(), found)} == {22}
