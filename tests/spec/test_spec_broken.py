"""Each broken spec against its whole message: NAME.yaml (or none, where the file is missing) and NAME.expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.errors import EXIT_USAGE, SpecError
from tests.spec.cases import HERE, load

EXPECTED = sorted((HERE / "broken").glob("*.expected"))
JARGON = (
    "pydantic",
    "Input should",
    "value_error",
    "Traceback",
    "https://errors",
    "ValidationError",
)


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_a_broken_spec_is_told_all_its_faults(expected: Path) -> None:
    with pytest.raises(SpecError) as raised:
        load(expected.with_suffix(".yaml"))
    assert str(raised.value) == expected.read_text().rstrip("\n")
    assert raised.value.exit_code == EXIT_USAGE


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: path.stem)
def test_a_fault_is_one_line_with_a_remedy_in_plain_words(expected: Path) -> None:
    with pytest.raises(SpecError) as raised:
        load(expected.with_suffix(".yaml"))
    faults = raised.value.faults
    assert list(faults) == sorted(faults, key=lambda fault: (fault.file, fault.line))
    for fault in faults:
        assert fault.remedy
        assert str(fault).isprintable()
        assert not any(word in str(fault) for word in JARGON)


def test_every_broken_file_has_its_expectation() -> None:
    specs = {path.stem for path in (HERE / "broken").glob("*.yaml")}
    expected = {path.stem for path in EXPECTED}
    assert specs <= expected
    assert expected - specs == {"missing-file"}
    assert len(specs) >= 36


@pytest.mark.parametrize("secret", ["s3cret", "t0ken", "b3BlbnNzaC1rZXk"])
def test_no_secret_is_repeated(secret: str) -> None:
    files = [path for path in (HERE / "broken").iterdir() if path.suffix in (".yaml", ".csv")]
    assert any(secret.encode() in path.read_bytes() for path in files)
    assert not any(secret in path.read_text() for path in EXPECTED)
