"""The small grammars, each with what it takes and what it makes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import SpecError
from fleet.spec import people, rules
from fleet.spec.document import LARGEST
from fleet.spec.refusal import RefusedError
from fleet.spec.values import format_duration, parse_duration, parse_price, parse_size
from tests.spec.cases import PLAIN, load_text


@given(st.integers(min_value=0, max_value=40 * 86400))
def test_a_duration_is_read_as_it_is_written(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(format_duration(duration)) == duration


@pytest.mark.parametrize(
    ("text", "minutes"), [("8h", 480), ("90m", 90), ("2d", 2880), ("1h30m", 90), ("120s", 2)]
)
def test_durations(text: str, minutes: int) -> None:
    assert parse_duration(text) == timedelta(minutes=minutes)


@pytest.mark.parametrize("text", ["", "h", "1.5h", "8 h", "8H", "30m1h", "8h\n", "٨h", "PT8H"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(RefusedError):
        parse_duration(text)


@pytest.mark.parametrize(("text", "gib"), [("100GiB", 100), ("2TiB", 2048), ("0GiB", 0)])
def test_sizes(text: str, gib: int) -> None:
    assert parse_size(text) == gib


@pytest.mark.parametrize("text", ["nan", "inf", "1e3", "-1", "", "0x10", "1_0"])
def test_what_is_no_price(text: str) -> None:
    with pytest.raises(RefusedError):
        parse_price(text)


@pytest.mark.parametrize(
    "text",
    [
        "t3.nano",
        "g5.xlarge",
        "p4d.24xlarge",
        "u-6tb1.metal",
        "u7i-12tb.224xlarge",
        "p6-b200.48xlarge",
        "m7i.metal-24xl",
        "mac2-m2pro.metal",
        "trn2u.48xlarge",
    ],
)
def test_instance_types_are_an_open_set(text: str) -> None:
    assert rules.instance_type(text) == text


@pytest.mark.parametrize(
    "text", ["us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-7", "eusc-de-east-1"]
)
def test_regions_are_an_open_set(text: str) -> None:
    assert rules.region(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "einops",
        "lightning[extra]",
        "torch==2.9.0+cu128",
        "numpy>=1.26,<3",
        "a.b-c_d ~= 1.0",
        "x!=1.*",
    ],
)
def test_packages(text: str) -> None:
    assert rules.package(text) == text


@pytest.mark.parametrize("text", ["-e", "--pre", "a b", "a;b", "a`id`", "a\n-e .", "$(id)", "a&b"])
def test_what_is_no_package(text: str) -> None:
    with pytest.raises(RefusedError):
        rules.package(text)


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/a/b",
        "https://git.example.org:8443/a/b.git",
        "git@github.com:a/b.git",
        "ssh://git@example.org:2222/a/b.git",
    ],
)
def test_repositories(text: str) -> None:
    assert rules.git_url(text) == text


@pytest.mark.parametrize(
    "text",
    ["ext::sh -c id", "file:///etc", "ssh://-oProxyCommand=id/x", "-u@x:y", "https://x/$(id)", "x"],
)
def test_what_is_no_repository(text: str) -> None:
    with pytest.raises(RefusedError):
        rules.git_url(text)


@pytest.mark.parametrize("text", ["~", "~/", "~/data", "~/a b/ü.txt", "~/.config/x"])
def test_remote_paths(text: str) -> None:
    assert rules.remote_path(text) == text


@pytest.mark.parametrize("text", ["/etc", "data", "~root/x", "~/../x", "~/a/..", "~//x", "~/a\nb"])
def test_what_is_no_remote_path(text: str) -> None:
    with pytest.raises(RefusedError):
        rules.remote_path(text)


@pytest.mark.parametrize(
    ("count", "first", "last"),
    [(1, "env-01", "env-01"), (20, "env-01", "env-20"), (100, "env-001", "env-100")],
)
def test_numbered_members(count: int, first: str, last: str) -> None:
    names = people.numbered(count)
    assert (names[0], names[-1], len(names)) == (first, last, count)


@given(st.text(max_size=80))
def test_an_accepted_name_fits_a_line_a_path_and_a_tag(text: str) -> None:
    try:
        name = people.member_name(text)
    except RefusedError:
        return
    assert name == people.member_name(name)
    assert 0 < len(name) <= 64
    assert name == name.strip()
    assert not {"/", "\\", "\n", "\0"} & set(name)
    assert name[0] not in "-."
    name.encode()


def test_a_file_that_is_too_large() -> None:
    with pytest.raises(SpecError, match=r"^fleet.yaml: has 1048577 bytes, and 1 MiB is the most: "):
        load_text(b"#" * (LARGEST + 1))


@pytest.mark.parametrize("text", ["\ufeff" + PLAIN, PLAIN.replace("\n", "\r\n"), "---\n" + PLAIN])
def test_other_ways_to_save_the_same_text(text: str) -> None:
    assert load_text(text) == load_text(PLAIN)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("text", ["[" * LARGEST, "{" * LARGEST, "- " * (LARGEST // 2), "? " * 5000])
def test_deep_nesting_ends_soon(text: str) -> None:
    with pytest.raises(SpecError):
        load_text(text)
