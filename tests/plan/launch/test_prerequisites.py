"""What instances are launched with: there as a whole, or not."""

from __future__ import annotations

import dataclasses

import pytest

from fleet.errors import NothingFoundError
from fleet.plan import tags
from fleet.plan.facts.launch import KeyPairFact, LaunchTemplateFact, Owned
from fleet.plan.facts.network import SecurityGroupFact
from fleet.plan.launch.prerequisites import require_intact


def test_a_fleet_that_lacks_anything_is_not_made_whole() -> None:
    whole = Owned(
        security_groups=(SecurityGroupFact("sg-1", "vpc-1", frozenset()),),
        key_pairs=(KeyPairFact("key-1", "fleet-w", "ssh-ed25519 A"),),
        launch_templates=(LaunchTemplateFact("lt-1", "fleet-w", 1, "x", tags.NEVER),),
    )
    require_intact(whole, fleet="w")
    for part in ("security_groups", "key_pairs", "launch_templates"):
        with pytest.raises(NothingFoundError, match="not whole"):
            require_intact(dataclasses.replace(whole, **{part: ()}), fleet="w")
