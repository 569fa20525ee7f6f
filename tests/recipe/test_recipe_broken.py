"""Each broken recipe against its whole message: NAME.yaml and NAME.expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from fleet.errors import EXIT_USAGE, SpecError
from tests.recipe.cases import HERE, load
from tests.spec.test_spec_broken import JARGON

BROKEN = sorted((HERE / "broken").glob("*.yaml"))


@pytest.mark.parametrize("path", BROKEN, ids=lambda path: path.stem)
def test_a_broken_recipe_is_told_all_its_faults_a_line_each(path: Path) -> None:
    with pytest.raises(SpecError) as raised:
        load(path)
    assert str(raised.value) == path.with_suffix(".expected").read_text().rstrip("\n")
    assert raised.value.exit_code == EXIT_USAGE
    faults = raised.value.faults
    assert list(faults) == sorted(faults, key=lambda fault: fault.line)
    for fault in faults:
        assert fault.remedy
        assert str(fault).isprintable()
        assert not any(word in str(fault) for word in JARGON)


def test_each_expectation_has_its_recipe() -> None:
    expected = {path.stem for path in (HERE / "broken").glob("*.expected")}
    assert expected == {path.stem for path in BROKEN}
    assert len(BROKEN) >= 28


@pytest.mark.parametrize("secret", ["s3cret", "t0ken"])
def test_no_secret_is_repeated(secret: str) -> None:
    assert any(secret in path.read_text() for path in BROKEN)
    assert not any(secret in path.with_suffix(".expected").read_text() for path in BROKEN)
