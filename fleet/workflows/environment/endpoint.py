"""How an environment is reached: where its services answer, and with which token. Roads for SSH are in `roads`."""

from __future__ import annotations

from fleet.jupyter.http import Server
from fleet.jupyter.proof import Endpoint
from fleet.plan.environment.rotation import generation_of
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.ports import JUPYTER_PORT, TENSORBOARD_PORT
from fleet.plan.record.pem import certificate_part
from fleet.plan.record.tokens import jupyter_token


def member_token(fleet_secret: str, instance: InstanceFact, member: str) -> str:
    """Derive the token of an instance's member, of the generation that its tag states."""
    return jupyter_token(fleet_secret, member, generation=generation_of(instance))


def endpoint_of(
    instance: InstanceFact,
    authority: str,
    *,
    address: str | None = None,
    ports: tuple[int, int] = (JUPYTER_PORT, TENSORBOARD_PORT),
) -> Endpoint:
    """Give where an instance's services answer, at its own address or at the end of a tunnel.

    `authority` is the PEM of the fleet's, by which their certificates are verified.
    """
    trusted = certificate_part(authority) if instance.tls else None
    jupyter, tensorboard = (
        Server(address or instance.address or "", port, trusted) for port in ports
    )
    return Endpoint(jupyter, tensorboard)
