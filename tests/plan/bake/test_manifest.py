"""What is on an image: read, written, packed, compared."""

from __future__ import annotations

import json
import random

import pytest

from fleet.errors import FleetError
from fleet.plan.bake.manifest import (
    PART_LENGTH,
    Package,
    diff,
    manifest_text,
    pack,
    parse_manifest,
    unpack,
)

BEFORE = {
    "system": "Ubuntu 24.04",
    "used_mib": 41230,
    "apt": {"git": ["1:2.43", 21000], "htop": ["3.3.0", 434]},
    "rpm": {},
    "environments": {
        "/opt/pytorch": {"torch": ["2.9.0", 2100000], "pillow": ["11.0.0", 9000]},
        "/home/ubuntu/venvs/old": {"six": ["1.16.0", 40]},
    },
}
AFTER = {
    "system": "Ubuntu 24.04",
    "used_mib": 41830,
    "apt": {"git": ["1:2.44", 21500], "htop": ["3.3.0", 500], "jq": ["1.7", 110]},
    "rpm": {},
    "environments": {"/opt/pytorch": {"torch": ["2.10.0", 2200000], "pillow": ["11.0.0", 9000]}},
}


def test_what_the_host_prints_is_read_and_written_the_same_way() -> None:
    manifest = parse_manifest(json.dumps(BEFORE))
    assert manifest.packages["apt"]["git"] == Package("1:2.43", 21000)
    assert manifest.environments["/opt/pytorch"]["torch"].version == "2.9.0"
    assert json.loads(manifest_text(manifest)) == BEFORE
    assert parse_manifest(manifest_text(manifest)) == manifest


def test_the_same_manifest_is_always_the_same_text() -> None:
    shuffled = {key: BEFORE[key] for key in reversed(BEFORE)}
    one, other = (manifest_text(parse_manifest(json.dumps(each))) for each in (BEFORE, shuffled))
    assert one == other
    assert pack(one) == pack(other)


def test_a_whole_systems_packages_fit_the_parts_that_they_are_kept_in() -> None:
    chance = random.Random(7)
    many = {
        f"lib{chance.randrange(10**9)}": [f"{chance.randrange(10**6)}", chance.randrange(10**6)]
        for _ in range(3000)
    }
    text = json.dumps(BEFORE | {"apt": many})
    parts = pack(text)
    assert len(parts) > 1
    assert all(0 < len(part) <= PART_LENGTH for part in parts)
    assert unpack(parts) == text


@pytest.mark.parametrize("lost", [0, 1, -1])
def test_a_part_that_is_missing_is_told_in_one_line(lost: int) -> None:
    chance = random.Random(7)
    parts = list(pack("".join(chance.choice("0123456789abcdef") for _ in range(30_000))))
    del parts[lost]
    with pytest.raises(FleetError, match="cannot be read"):
        unpack(parts)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{}",
        "null",
        '{"system": "x"}',
        '{"system": "x", "used_mib": "many", "environments": {}}',
        '{"system": "x", "used_mib": 1, "environments": {"/a": {"b": "1"}}}',
        '{"system": "x", "used_mib": 1, "environments": {}, "apt": []}',
    ],
)
def test_what_is_no_manifest_is_told_in_one_line(text: str) -> None:
    with pytest.raises(FleetError, match="cannot be read"):
        parse_manifest(text)


def test_a_diff_tells_what_came_what_went_and_what_has_another_version() -> None:
    found = diff(parse_manifest(json.dumps(BEFORE)), parse_manifest(json.dumps(AFTER)))
    apt, old, pytorch = found.sections
    assert [apt.where, old.where, pytorch.where] == [
        "apt",
        "/home/ubuntu/venvs/old",
        "/opt/pytorch",
    ]
    assert [(c.name, c.before, c.after) for c in apt.added] == [("jq", None, Package("1.7", 110))]
    assert [(c.name, c.kib) for c in apt.changed] == [("git", 500)]  # htop is the same version
    assert (apt.kib, [c.name for c in old.removed], old.kib) == (610, ["six"], -40)
    assert [c.as_json() for c in pytorch.changes] == [
        {"name": "torch", "before": "2.9.0", "after": "2.10.0", "kib": 100_000}
    ]
    assert (found.used_mib, found.same) == (600, False)


def test_two_images_of_the_same_packages_do_not_differ() -> None:
    one = parse_manifest(json.dumps(BEFORE))
    other = parse_manifest(json.dumps(BEFORE | {"used_mib": 41000}))
    found = diff(one, other)
    assert (found.same, found.sections, found.used_mib) == (True, (), -230)
    assert not diff(one, parse_manifest(json.dumps(BEFORE | {"system": "Ubuntu 26.04"}))).same
