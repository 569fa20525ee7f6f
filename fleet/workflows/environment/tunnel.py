"""Brings environments' Jupyter and TensorBoard to this machine inside SSH, for as long as somebody wants them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from fleet.aws.identity import describe_identity
from fleet.errors import UnreachableError
from fleet.plan.environment.report import HERE, jupyter_url, tensorboard_url
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.record.tokens import Secrets
from fleet.ssh.connection import OpenHost, open_host
from fleet.ssh.keys import PrivateKey, load_private_key
from fleet.workflows.context import Context
from fleet.workflows.environment.connect import host_of, tunnel
from fleet.workflows.environment.endpoint import member_token
from fleet.workflows.environment.members import choose_members, require_running
from fleet.workflows.environment.status import live_instances
from fleet.workflows.record.secrets import describe_secrets

_CONNECT_SECONDS = 30
_LOOK_SECONDS = 0.5

_REDIRECT = """<!DOCTYPE html>
<meta charset="utf-8"><meta http-equiv="refresh" content="0; url={url}"><title>fleet open</title>
<a href="{url}">Jupyter</a>
"""


@dataclass(frozen=True)
class Tunnel:
    """One member's services as they answer on this machine, with links that log in."""

    member: str
    jupyter_url: str
    tensorboard_url: str
    opened: OpenHost


@contextmanager
def open_tunnels(
    context: Context, fleet: str, *, members: Sequence[str] = ()
) -> Iterator[tuple[Tunnel, ...]]:
    """Open a tunnel to each of the members' environments (or all); they close when the block ends.

    One member's services answer on their own ports, 8888 and 6006, where these are free here.
    Raises NothingFoundError where there is no such fleet or member, HostError where one cannot be reached.
    """
    live = [one for one in live_instances(context, fleet) if one.member]
    chosen = choose_members(live, members, fleet)
    secrets = describe_secrets(context, fleet)
    key = load_private_key(secrets.private_key)
    with ExitStack() as stack:
        yield tuple(
            stack.enter_context(
                _open(context, instance, key=key, secrets=secrets, own_ports=len(chosen) == 1)
            )
            for instance in chosen
        )


def wait_until_broken(context: Context, tunnels: Sequence[Tunnel]) -> None:
    """Wait as long as all tunnels hold, which may be for as long as the fleet lives. Raises UnreachableError then."""
    while True:
        for one in tunnels:
            if not one.opened.connection.is_connected:
                raise UnreachableError(
                    f"the SSH connection to {one.member} broke",
                    remedy="run the command again: what runs over there goes on",
                )
        context.sleep(_LOOK_SECONDS)


@contextmanager
def link_file(context: Context, fleet: str, tunnel: Tunnel, *, url: str) -> Iterator[str]:
    """Give the URL of a local page, readable by its owner alone, that leads to `url`; it goes when the block ends.

    For the token is in `url`, and a browser's arguments can be read by everybody.
    """
    cache = context.cache(describe_identity(context.aws).account_id, fleet)
    page = cache.write(f"open-{tunnel.opened.connection.host}.html", _REDIRECT.format(url=url))
    try:
        yield page.absolute().as_uri()
    finally:
        page.unlink(missing_ok=True)


@contextmanager
def _open(
    context: Context,
    instance: InstanceFact,
    *,
    key: PrivateKey,
    secrets: Secrets,
    own_ports: bool,
) -> Iterator[Tunnel]:
    require_running(instance)
    member, clock = instance.member or "", context.clock
    token = member_token(secrets.fleet_secret, instance, member)
    scheme = "https" if instance.tls else "http"
    host = host_of(context, instance, key)
    with (
        open_host(
            host, deadline=clock() + _CONNECT_SECONDS, clock=clock, sleep=context.sleep
        ) as opened,
        tunnel(opened, instance, secrets.authority, own_ports=own_ports) as endpoint,
    ):
        yield Tunnel(
            member,
            jupyter_url(f"{scheme}://{HERE}:{endpoint.jupyter.port}", token),
            tensorboard_url(f"{scheme}://{HERE}:{endpoint.tensorboard.port}", token),
            opened,
        )
