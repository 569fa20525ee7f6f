"""How an environment is reached: where its services answer, and with which token. Roads for SSH are in `roads`."""

from __future__ import annotations

from fleet.jupyter.proof import Endpoint
from fleet.plan import tags
from fleet.plan.facts import InstanceFact
from fleet.plan.ports import JUPYTER_PORT, TENSORBOARD_PORT
from fleet.plan.tokens import jupyter_token


def member_token(fleet_secret: str, instance: InstanceFact, member: str) -> str:
    """Derive the token of an instance's member, of the generation that its tag states."""
    generation = instance.tags.get(tags.TOKEN_GENERATION, "1")
    return jupyter_token(
        fleet_secret, member, generation=int(generation) if generation.isdigit() else 1
    )


def endpoint_of(instance: InstanceFact) -> Endpoint:
    """Give where an instance's services answer, seen from outside or from its own network."""
    return Endpoint(instance.address or "", JUPYTER_PORT, TENSORBOARD_PORT)
