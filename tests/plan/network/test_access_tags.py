"""How instances are reached, once a spec has changed it."""

from __future__ import annotations

import dataclasses

import pytest

from fleet.plan import tags
from fleet.plan.network.access_tags import reach_tags
from fleet.plan.via import PUBLIC, Way
from tests.plan.record.test_certificates import INSTANCE

TUNNEL = Way("tunnel")


@pytest.mark.parametrize(
    ("standing", "way", "tls", "changed"),
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
        ({}, Way("bastion", "me@there"), True, {}),
    ],
)
def test_tags_follow_the_spec(
    standing: dict[str, str], way: Way, tls: bool, changed: dict[str, str]
) -> None:
    instance = dataclasses.replace(INSTANCE, tags=standing)
    assert reach_tags(instance, way=way, tls=tls) == changed
    after = dataclasses.replace(instance, tags={**standing, **changed})
    assert reach_tags(after, way=way, tls=tls) == {}
