"""Derived tokens: stable, distinct, and never shown by accident."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fleet.plan.record.tokens import Secrets, client_token, jupyter_token


def test_a_token_is_known_for_all_time() -> None:
    # Computed apart: printf '["jupyter", "ana", 1]' | openssl dgst -sha256 -hmac sss… -binary | base64
    assert (
        jupyter_token("s" * 43, "ana", generation=1)
        == "o1RGxPoeojuj5tpVS3gr1iNGnL5YI7kbhunHD1PZhXs"
    )


def test_member_secret_and_generation_each_change_the_token() -> None:
    tokens = {
        jupyter_token("one", "ana", generation=1),
        jupyter_token("two", "ana", generation=1),
        jupyter_token("one", "ben", generation=1),
        jupyter_token("one", "ana", generation=2),
    }
    assert len(tokens) == 4


@given(st.text(min_size=1), st.text(min_size=1))
def test_two_members_never_share_a_token(one: str, other: str) -> None:
    same = jupyter_token("s", one, generation=1) == jupyter_token("s", other, generation=1)
    assert same == (one == other)


@given(st.text())
def test_tokens_are_safe_in_urls_and_client_tokens_short_enough(member: str) -> None:
    token = jupyter_token("s", member, generation=1)
    assert len(token) == 43
    assert token.replace("-", "").replace("_", "").isalnum()
    assert len(client_token(member, 3)) == 64


def test_secrets_do_not_show() -> None:
    shown = repr(Secrets(fleet_secret="hidden", private_key="hidden", authority="hidden"))
    assert "hidden" not in shown
