"""Image names: one row per name, expectations written apart from the parser; and what is no DLAMI."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.plan.images.choice import DlamiName, parse_dlami_name
from fleet.plan.images.dlami_names import version_numbers

with (Path(__file__).parent / "data" / "dlami_names.tsv").open(encoding="utf-8") as file:
    ROWS = list(csv.DictReader(file, delimiter="\t"))

PYTORCH = "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.13 (Ubuntu 26.04) 20260829"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_every_name_is_read(row: dict[str, str]) -> None:
    told = {key: None if text == "-" else text for key, text in row.items() if key != "name"}
    told["release"] = told["release"] or ""
    found = parse_dlami_name(row["name"])
    assert found is not None
    assert {key: getattr(found, key) for key in told} == told


@pytest.mark.parametrize(
    "name",
    [
        "",
        f"Custom {PYTORCH}",
        f" {PYTORCH}",
        f"{PYTORCH} ",
        f"{PYTORCH}\n",
        f"{PYTORCH} copy",
        f"{PYTORCH}-1",
        f"Copy of {PYTORCH}",
        PYTORCH.lower(),
        PYTORCH.replace("PyTorch 2.13", "PyTorch"),
        PYTORCH.replace("2.13", "٢.١٣"),
        PYTORCH.replace("20260829", "2026082"),
        PYTORCH.replace("(Ubuntu 26.04)", "(Debian 13)"),
        PYTORCH.replace("OSS", "Custom"),
        "Custom Deep Learning OSS Nvidia Driver AMI (Amazon Linux 2) Version 78.2",
        "Deep Learning AMI",
        "Deep Learning Containers (Ubuntu 22.04) 20260101",
        "Deep Learning AMI (Ubuntu 18.04) Version 60.2 hardened",
        "ubuntu/images/hvm-ssd-gp3/ubuntu-noble-24.04-amd64-server-20261015",
    ],
)
def test_what_is_no_dlami_is_none(name: str) -> None:
    assert parse_dlami_name(name) is None


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    assert parse_dlami_name(text) is None or text.startswith(("Deep Learning ", "AWS Deep "))


@given(
    st.sampled_from([row["name"] for row in ROWS]),
    st.integers(0, 90),
    st.integers(0, 4),
    st.text(max_size=3),
)
def test_no_damaged_name_makes_it_raise(name: str, at: int, length: int, text: str) -> None:
    found = parse_dlami_name(name[:at] + text + name[at + length :])
    assert found is None or isinstance(found, DlamiName)


def test_versions_compare_as_numbers() -> None:
    assert version_numbers("2.10") > version_numbers("2.9.1") > version_numbers("2.9")
    assert version_numbers(None) == ()
