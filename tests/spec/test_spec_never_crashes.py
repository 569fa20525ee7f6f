"""Whatever the bytes are, the answer is a FleetSpec or a SpecError."""

from __future__ import annotations

import contextlib
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from fleet.errors import SpecError
from fleet.spec.forms import Keys
from fleet.spec.load import Overrides, load_spec
from fleet.spec.table import SPEC_FILE
from tests.spec.cases import HERE, PLAIN

FILES = [path for path in HERE.rglob("*") if path.suffix in (".yaml", ".csv")]
KEYS = [key.name for key in SPEC_FILE.root.keys] + [
    inner.name
    for key in SPEC_FILE.root.keys
    if isinstance(key.form, Keys)
    for inner in key.form.keys
]
ODD = r"""
~ null never me on 0 -1 1e3 .inf 22:30 2.10 2026-11-21 '' "\ud800" "\UFFFFFFFF" *a &a !!x << =
- ? : | > % @ ` [ ] { } 8h 100GiB g5.xlarge spot pytorch 10.0.0.0/8 0.60 people.csv
"""
SCALARS = st.sampled_from(ODD.split()) | st.text(max_size=12)
LINES = st.tuples(
    st.sampled_from(["", "  ", "- ", "  - ", "\t"]), st.sampled_from(KEYS), SCALARS
).map(lambda parts: f"{parts[0]}{parts[1]}: {parts[2]}")


def answer(content: bytes, roster: bytes = b"", overrides: Overrides | None = None) -> None:
    with contextlib.suppress(SpecError):
        load_spec(
            content,
            file="fleet.yaml",
            read=lambda name: roster,
            exists=lambda name: len(name) % 2 == 0,
            overrides=overrides or Overrides(),
        )


@given(st.binary(max_size=400))
def test_any_bytes(content: bytes) -> None:
    answer(content)


@given(st.text(max_size=400))
def test_any_text(content: str) -> None:
    answer(content.encode("utf-8", "surrogatepass"))


@given(st.lists(LINES, max_size=12))
def test_any_lines_of_known_keys(lines: list[str]) -> None:
    answer("\n".join(lines).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(KEYS), SCALARS)
def test_any_value_in_a_good_spec(key: str, value: str) -> None:
    lines = [line for line in PLAIN.splitlines() if not line.startswith(f"{key}:")]
    answer("\n".join([*lines, f"{key}: {value}"]).encode("utf-8", "surrogatepass"))


@given(st.sampled_from(FILES), st.data())
def test_any_file_of_ours_with_a_piece_changed(path: Path, data: st.DataObject) -> None:
    content = path.read_bytes()
    start = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(start, min(start + 8, len(content))))
    changed = content[:start] + data.draw(st.binary(max_size=8)) + content[end:]
    answer(changed if path.suffix == ".yaml" else PLAIN.encode(), changed)
    answer(PLAIN.replace("members: [ana, ben, chloe]", "roster: people.csv").encode(), changed)


@given(st.integers(), st.text(max_size=9), st.lists(st.text(max_size=9)))
def test_any_flags(number: int, text: str, types: list[str]) -> None:
    flags = Overrides(
        count=number,
        market=text,
        types=tuple(types),
        expires=text,
        min_ready=number,
        region=text,
    )
    answer(PLAIN.encode(), b"", flags)
    answer(b"{}", b"", flags)
