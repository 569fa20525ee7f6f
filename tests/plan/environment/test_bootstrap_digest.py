"""The digest of a bootstrap: whatever a running environment could get from other texts changes it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from fleet.assets.shipped import load_texts
from fleet.plan.environment.bootstrap import Texts, bootstrap_digest
from fleet.plan.environment.local_files import LocalFiles
from tests.plan.worlds import plan

PLAN = plan()


def digest_of(texts: Texts) -> str:
    return bootstrap_digest(texts, PLAN.spec, PLAN.image, LocalFiles())


def test_a_plan_carries_the_digest_of_the_shipped_texts() -> None:
    assert PLAN.bootstrap_id == digest_of(load_texts())


@pytest.mark.parametrize("name", [each.name for each in dataclasses.fields(Texts)])
def test_each_text_changes_the_digest(name: str) -> None:
    for other in _changed(getattr(load_texts(), name)):
        assert digest_of(dataclasses.replace(load_texts(), **{name: other})) != PLAN.bootstrap_id


def _changed(shipped: str | Mapping[str, str]) -> Iterator[Any]:
    """A text, changed; of several by name each in turn."""
    if isinstance(shipped, str):
        yield f"{shipped}#"
        return
    for name, text in shipped.items():
        yield {**shipped, name: f"{text}#"}


@pytest.mark.parametrize("name", ["parts", "watchers"])
def test_the_order_of_a_folder_does_not_count(name: str) -> None:
    turned: Any = dict(reversed(getattr(load_texts(), name).items()))
    assert digest_of(dataclasses.replace(load_texts(), **{name: turned})) == PLAN.bootstrap_id
