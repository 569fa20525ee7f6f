"""vCPUs against quotas: every family, both markets, several choices, and what is not known."""

from __future__ import annotations

import pytest

from fleet.errors import QuotaError
from fleet.plan.facts.hardware import InstanceTypeFact, Market, QuotaFacts
from fleet.plan.facts.launch import Owned
from fleet.plan.hardware.quota_codes import codes_to_ask, family_of
from fleet.plan.hardware.quotas import (
    QuotaReport,
    Wanted,
    check_quotas,
    quota_warnings,
    require_quota,
)
from tests.plan.worlds import SPEC, gpu_type, instance, observed, plan, spec

G, G_SPOT, P_SPOT, P5_SPOT = "L-DB2E81BA", "L-3819A6DF", "L-7212CCBC", "L-C4BD4855"
TYPES: dict[str, InstanceTypeFact] = {
    name: gpu_type(name, vcpus=vcpus)
    for name, vcpus in {
        "g5.xlarge": 4,
        "g4dn.xlarge": 4,
        "g5.2xlarge": 8,
        "p4d.24xlarge": 96,
        "p5.48xlarge": 192,
        "mac2.metal": 12,
    }.items()
}


def count(
    wanted: Wanted, limits: dict[str, int], in_use: dict[tuple[str, Market], int] | None = None
) -> QuotaReport:
    return check_quotas(wanted, QuotaFacts(limits, in_use or {}), TYPES)


def of(name: str, number: int, market: Market = "on-demand") -> Wanted:
    return Wanted(((name, market),), number)


FAMILY_ROWS = [
    ("m6i.large", "L-1216C47A", ("L-34B43A08",)),
    ("a1.medium", "L-1216C47A", ("L-34B43A08",)),
    ("c7gn.xlarge", "L-1216C47A", ("L-34B43A08",)),
    ("d3en.xlarge", "L-1216C47A", ("L-34B43A08",)),
    ("h1.2xlarge", "L-1216C47A", ("L-34B43A08",)),
    ("i4i.large", "L-1216C47A", ("L-34B43A08",)),
    ("im4gn.large", "L-1216C47A", ("L-34B43A08",)),
    ("is4gen.large", "L-1216C47A", ("L-34B43A08",)),
    ("r8g.large", "L-1216C47A", ("L-34B43A08",)),
    ("t3.micro", "L-1216C47A", ("L-34B43A08",)),
    ("z1d.large", "L-1216C47A", ("L-34B43A08",)),
    ("g5.xlarge", G, (G_SPOT,)),
    ("g6f.xlarge", G, (G_SPOT,)),
    ("gr6.4xlarge", G, (G_SPOT,)),
    ("vt1.3xlarge", G, (G_SPOT,)),
    ("p2.xlarge", "L-417A185B", (P_SPOT,)),
    ("p3.2xlarge", "L-417A185B", (P_SPOT,)),  # P, not G: some published mappings have it wrong
    ("p4de.24xlarge", "L-417A185B", (P_SPOT,)),
    ("p5.48xlarge", "L-417A185B", (P5_SPOT, P_SPOT)),
    ("p6-b200.48xlarge", "L-417A185B", (P5_SPOT, P_SPOT)),
    ("p6e-gb200.36xlarge", "L-417A185B", (P5_SPOT, P_SPOT)),
    ("dl1.24xlarge", "L-6E869C2A", ("L-85EED4F7",)),
    ("dl2q.24xlarge", "L-6E869C2A", ("L-85EED4F7",)),
    ("inf2.xlarge", "L-1945791B", ("L-B5D1601B",)),
    ("trn1n.32xlarge", "L-2C3B7624", ("L-6B0D517C",)),
    ("f2.6xlarge", "L-74FC7D96", ("L-88CF9481",)),
    ("x2idn.16xlarge", "L-7295265B", ("L-E3A00192",)),
    ("hpc7g.4xlarge", "L-F7808C92", ()),
    ("u-6tb1.metal", "L-43DA4232", ()),
    ("u7i-12tb.224xlarge", "L-43DA4232", ()),
]


@pytest.mark.parametrize(("name", "on_demand", "spot"), FAMILY_ROWS)
def test_every_family_has_its_codes(name: str, on_demand: str, spot: tuple[str, ...]) -> None:
    family = family_of(name)
    assert family is not None
    assert (family.on_demand, family.spot) == (on_demand, spot)


@pytest.mark.parametrize("name", ["mac2.metal", "q1.large", "gpu.large", "G5.xlarge", ""])
def test_a_type_that_no_family_knows_has_none(name: str) -> None:
    assert family_of(name) is None


def test_both_codes_of_p_spot_are_asked() -> None:
    assert codes_to_ask(["g5.xlarge"], ["on-demand"]) == (G,)
    assert codes_to_ask(["g5.xlarge", "g4dn.xlarge"], ["spot", "on-demand"]) == (G_SPOT, G)
    assert codes_to_ask(["p4d.24xlarge"], ["on-demand"]) == ("L-417A185B",)
    for name in ("p4d.24xlarge", "p5.48xlarge"):
        assert set(codes_to_ask([name], ["spot"])) == {P_SPOT, P5_SPOT}
    assert codes_to_ask(["mac2.metal"], ["on-demand"]) == ()


def test_twenty_g5_with_64_of_80_free() -> None:
    report = count(of("g5.xlarge", 20), {G: 80}, {("g4dn.xlarge", "on-demand"): 16})
    (check,) = report.checks
    assert (check.code, check.used, check.needed, check.limit) == (G, 16, 80, 80)
    assert (check.missing, check.value) == (16, 96)
    with pytest.raises(QuotaError) as raised:
        require_quota(report, count=20)
    text = str(raised.value)
    assert "\n" not in text
    for part in ("20 x g5.xlarge", "64 of 80", G, "16 missing", "fleet quota SPEC --request", "96"):
        assert part in text


ARITHMETIC = {
    "spot is counted apart": (of("g5.xlarge", 20, "spot"), {G_SPOT: 80}, True, 0),
    "to the last vCPU": (of("g5.xlarge", 16), {G: 80}, True, 16),
    "one too many": (of("g5.xlarge", 17), {G: 80}, False, 16),
    "another family in use": (of("p4d.24xlarge", 1), {"L-417A185B": 96}, True, 0),
    "nothing to launch over a full quota": (of("g5.xlarge", 0), {G: 8}, True, 16),
}


@pytest.mark.parametrize("case", ARITHMETIC.values(), ids=ARITHMETIC)
def test_arithmetic(case: tuple[Wanted, dict[str, int], bool, int]) -> None:
    wanted, limits, fits, used = case
    report = count(wanted, limits, {("g5.xlarge", "on-demand"): 16})
    assert (report.fits, report.checks[0].used) == (fits, used)


def test_p5_spot_counts_against_the_code_that_is_there() -> None:
    in_use: dict[tuple[str, Market], int] = {("p4d.24xlarge", "spot"): 96}
    (split,) = count(of("p5.48xlarge", 1, "spot"), {P_SPOT: 96, P5_SPOT: 192}, in_use).checks
    assert (split.code, split.used, split.missing) == (P5_SPOT, 0, 0)
    (merged,) = count(of("p5.48xlarge", 1, "spot"), {P_SPOT: 192}, in_use).checks
    assert (merged.code, merged.used, merged.missing) == (P_SPOT, 96, 96)


def test_a_launch_fits_where_one_choice_fits() -> None:
    wanted = Wanted((("g5.xlarge", "spot"), ("g5.xlarge", "on-demand")), 20)
    report = count(wanted, {G_SPOT: 64, G: 80})
    assert report.fits
    assert report.lacking is report.checks[0]
    (warning,) = quota_warnings(report)
    assert "16 missing" in warning
    assert G_SPOT in warning
    assert f"what fits: g5.xlarge (On-Demand G and VT ({G}))" in warning


def test_a_launch_fits_in_parts() -> None:
    wanted = Wanted((("g5.xlarge", "spot"), ("g5.xlarge", "on-demand")), 20)
    report = count(wanted, {G_SPOT: 40, G: 40})
    assert report.fits
    assert "parts fit in other quotas" in next(iter(quota_warnings(report)))
    assert not count(wanted, {G_SPOT: 40, G: 39}).fits


def test_sizes_of_one_family_share_its_quota() -> None:
    wanted = Wanted((("g5.2xlarge", "on-demand"), ("g5.xlarge", "on-demand")), 20)
    report = count(wanted, {G: 80})
    assert [(c.instance_types, c.missing) for c in report.checks] == [
        (("g5.2xlarge",), 80),
        (("g5.xlarge",), 0),
    ]
    assert report.fits
    assert not count(wanted, {G: 79}).fits


def test_types_that_need_the_same_are_one_line() -> None:
    wanted = Wanted((("g5.xlarge", "on-demand"), ("g4dn.xlarge", "on-demand")), 2)
    (check,) = count(wanted, {G: 80}).checks
    assert check.instance_types == ("g5.xlarge", "g4dn.xlarge")
    assert str(check) == f"On-Demand G and VT ({G}): 0 in use + 8 of 80 vCPUs"


def test_stopped_instances_that_start_must_fit_in_their_own_quota() -> None:
    stopped = Wanted((("g5.xlarge", "spot"),), 1, started=(("g5.xlarge", "on-demand"),) * 2)
    assert count(stopped, {G_SPOT: 4, G: 8}).fits
    refused = count(stopped, {G_SPOT: 4, G: 4})
    assert not refused.fits
    assert refused.lacking is not None
    assert (refused.lacking.code, refused.lacking.missing) == (G, 4)


def test_a_quota_of_nothing_is_said_to_be_a_new_account() -> None:
    with pytest.raises(QuotaError, match="is 0, as in every new account"):
        require_quota(count(of("g5.xlarge", 1), {G: 0}), count=1)


UNKNOWN = {
    "no family": (of("mac2.metal", 1), {}, "mac2.metal"),
    "no such quota": (of("g5.xlarge", 1), {}, G),
    "size not known": (of("g6.xlarge", 1), {G: 4}, "g6.xlarge"),
}


@pytest.mark.parametrize("case", UNKNOWN.values(), ids=UNKNOWN)
def test_what_is_not_known_is_told_and_refuses_nothing(
    case: tuple[Wanted, dict[str, int], str],
) -> None:
    wanted, limits, named = case
    report = count(wanted, limits)
    assert report.fits
    assert report.checks == ()
    (warning,) = quota_warnings(report)
    assert named in warning
    assert "not checked" in warning


def test_a_plan_counts_only_what_it_launches_and_starts() -> None:
    facts = observed(
        owned=Owned(instances=(instance(1, "ana"), instance(2, "ben", "stopped"))),
        quotas=QuotaFacts({G: 12}, {("g5.xlarge", "on-demand"): 4}),
    )
    made = plan(facts=facts)
    assert (len(made.members.keep), len(made.members.start), len(made.members.launch)) == (1, 1, 1)
    assert [(c.used, c.needed, c.limit) for c in made.quotas.checks] == [(4, 8, 12)]


def test_a_plan_over_its_quota_is_refused() -> None:
    with pytest.raises(QuotaError, match=f"{G}.*4 missing"):
        plan(facts=observed(quotas=QuotaFacts({G: 8})))


def test_a_plan_warns_where_quotas_could_not_be_read() -> None:
    made = plan(facts=observed(quotas=QuotaFacts(unread="this identity may not call it")))
    assert "quotas were not checked: this identity may not call it" in made.warnings


def test_a_pool_above_the_price_cap_is_no_choice() -> None:
    text = SPEC.replace("g4dn.xlarge]}", "g4dn.xlarge], max_price: 0.60}")
    (check,) = plan(spec(text)).quotas.checks
    assert check.instance_types == ("g4dn.xlarge",)
