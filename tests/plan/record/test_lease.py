"""Who holds a fleet, and when that is over; a launch request as text."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.plan.hardware.pools import Pool
from fleet.plan.launch import request as requests
from fleet.plan.launch.purchase import Ask
from fleet.plan.record import lease as leases
from tests.plan.worlds import NOW

LEASE = leases.Lease("ana@laptop", "m1", "r1", "up", NOW, NOW)
POOLS = tuple(
    Pool(name, zone, f"subnet-{zone}", n, None, None)
    for n, name in enumerate(("g5.xlarge", "g4dn.xlarge"))
    for zone in ("a", "b")
)


def request(run: str = "r1/1", count: int = 3) -> requests.LaunchRequest:
    ask = Ask("spot", POOLS, count)
    return requests.launch_request(
        ask,
        template=("lt-1", 2),
        max_price=Decimal("0.60"),
        tags={"a": "b"},
        observed=["i-1"],
        run=run,
    )


def test_a_lease_is_read_as_it_was_written() -> None:
    assert leases.from_text(leases.as_text(LEASE)) == LEASE
    assert LEASE.said == "`fleet up` of ana@laptop, at work since 09:00:00Z"


@given(st.text() | st.sampled_from(["{}", "[]", "null", '{"taken_at": "x", "renewed_at": 1}']))
def test_what_is_no_lease_and_no_request_is_none(text: str) -> None:
    assert leases.from_text(text) is None
    assert requests.from_text(text) is None


@pytest.mark.parametrize(
    ("lease", "reason"),
    [
        (None, "it cannot be read"),
        (LEASE, ""),
        (replace(LEASE, machine="m2"), "its process on this machine has ended"),
        (replace(LEASE, renewed_at=NOW - timedelta(minutes=5)), ""),
        (replace(LEASE, renewed_at=NOW - timedelta(minutes=7)), "it was not renewed for 7 minutes"),
    ],
)
def test_when_a_lease_may_be_broken(lease: leases.Lease | None, reason: str) -> None:
    assert leases.reason_to_break(lease, machine="m2", now=NOW) == reason


def test_a_request_is_read_as_it_was_written() -> None:
    assert requests.from_text(requests.as_text(request())) == request()


def test_a_token_is_of_the_request_and_of_the_run() -> None:
    tokens = {
        request().client_token,
        request(run="r1/2").client_token,
        request(count=2).client_token,
    }
    assert len(tokens) == 3
    assert request().client_token == request().client_token
    assert all(len(token) <= 64 for token in tokens)


def test_a_lease_with_a_large_request_fits_a_parameter() -> None:
    many = tuple(
        Pool(f"g{n}.16xlarge", zone, f"subnet-0123456789abcde{z}", n, None, None)
        for n in range(8)
        for z, zone in enumerate("abcdef")
    )
    wide = requests.launch_request(
        Ask("spot", many, 1000), template=("lt-0123456789abcdef0", 1), max_price=None,
        tags={"Name": "fleet-" + "x" * 31, "fleet:name": "x" * 31}, observed=[], run="r",
    )  # fmt: skip
    assert len(leases.as_text(replace(LEASE, pending=requests.as_text(wide)))) < 4096
