"""How instances are reached, once a spec has changed it."""

from __future__ import annotations

import dataclasses

import pytest

from fleet.plan import tags
from fleet.plan.access_path import PUBLIC, AccessPath
from fleet.plan.network.access_tags import access_tags
from tests.plan.record.test_certificates import INSTANCE

TUNNEL = AccessPath("tunnel")


@pytest.mark.parametrize(
    ("standing", "access_path", "tls", "changed"),
    [
        ({}, PUBLIC, True, {}),
        ({}, TUNNEL, True, {tags.VIA: "tunnel"}),
        ({}, TUNNEL, False, {tags.VIA: "tunnel", tags.TLS: "none"}),
        ({tags.VIA: "tunnel", tags.TLS: "none"}, TUNNEL, False, {}),
        (
            {tags.VIA: "tunnel", tags.TLS: "none"},
            PUBLIC,
            True,
            {tags.VIA: "public", tags.TLS: "ca"},
        ),
        ({tags.VIA: "ssm"}, PUBLIC, True, {}),
        ({}, AccessPath("bastion", "me@there"), True, {}),
    ],
)
def test_tags_follow_the_spec(
    standing: dict[str, str], access_path: AccessPath, tls: bool, changed: dict[str, str]
) -> None:
    instance = dataclasses.replace(INSTANCE, tags=standing)
    assert access_tags(instance, access_path=access_path, tls=tls) == changed
    after = dataclasses.replace(instance, tags={**standing, **changed})
    assert access_tags(after, access_path=access_path, tls=tls) == {}
