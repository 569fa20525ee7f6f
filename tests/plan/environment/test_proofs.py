"""Proofs: written into a tag and read back, whatever else stands in tags."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fleet.plan.environment.proofs import Proof, parse_proof, proof_text

AT = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
PROOF = Proof(AT, 403, 200, 302, 200, 4, datetime(2026, 11, 28, tzinfo=UTC))
PLAIN = Proof(AT, 403, 200, 302, 200, 0, None)


@pytest.mark.parametrize("proof", [PROOF, PLAIN])
def test_a_tag_keeps_a_proof(proof: Proof) -> None:
    text = proof_text(proof)
    assert parse_proof(text) == proof
    # Source: EC2 user guide, "Tag restrictions".
    assert re.fullmatch(r"[\w +\-=._:/@]{1,256}", text)


@pytest.mark.parametrize(
    "text",
    [None, "", "yes", proof_text(PROOF)[:40], proof_text(PROOF).replace("gpus=4", "gpus=many")],
)
def test_what_is_no_proof_is_none(text: str | None) -> None:
    assert parse_proof(text) is None


@given(st.text())
def test_no_tag_makes_it_fail(text: str) -> None:
    assert parse_proof(text) is None


def test_a_person_reads_it_in_one_line() -> None:
    assert PROOF.words == (
        "refused without token (8888: 403, 6006: 302), certificate valid until 2026-11-28T00:00:00Z, "
        "cell executed, 4 GPUs seen"
    )
    assert "no TLS, inside SSH" in PLAIN.words
