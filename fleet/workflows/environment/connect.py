"""Over which road SSH reaches an instance, and its services where nothing but SSH comes in. Brings paramiko."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from fleet.aws.console import read_console
from fleet.aws.sessions import PROGRAMS, session_command
from fleet.errors import HostError
from fleet.jupyter.proof import Endpoint, answers
from fleet.plan import tags
from fleet.plan.access_path import AccessPath
from fleet.plan.environment.host_keys import console_host_keys
from fleet.plan.environment.report import HERE
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.ports import JUPYTER_PORT, TENSORBOARD_PORT
from fleet.plan.record.tokens import Secrets
from fleet.ssh.connection import Host, OpenHost, open_host
from fleet.ssh.forward import forwarded
from fleet.ssh.keys import PrivateKey, load_private_key
from fleet.ssh.proxies import DIRECT, Bastion, Command, Proxy, require_programs
from fleet.workflows.context import Context
from fleet.workflows.environment.endpoint import endpoint_of

T = TypeVar("T")


def require_access_path(context: Context, access_path: AccessPath) -> None:
    """Check what can be checked of a way before anything is launched. Raises FleetError."""
    if access_path.kind == "ssm":
        require_programs(
            PROGRAMS,
            why="access.via: ssm is SSH over Session Manager",
            remedy="install the AWS CLI and its Session Manager plugin, or choose another way",
        )
    if access_path.kind == "bastion":
        context.bastions.setdefault(access_path.bastion, Bastion(access_path.bastion)).check()


def host_of(context: Context, instance: InstanceFact, key: PrivateKey) -> Host:
    """Give where and over which road SSH reaches an instance."""
    return Host(
        address=instance.address or "",
        port=context.settings.ssh_port,
        user=instance.login_user,
        private_key=key,
        host_key=instance.tags.get(tags.HOST_KEY),
        proxy=_proxy(context, instance),
    )


def new_host_of(context: Context, instance: InstanceFact, key: PrivateKey) -> Host:
    """As `host_of`, for a host that may have no recorded key yet: its console output vouches for the first one."""

    def vouched() -> frozenset[str]:
        return console_host_keys(read_console(context.aws, instance_id=instance.instance_id))

    return dataclasses.replace(host_of(context, instance, key), vouched=vouched)


def _proxy(context: Context, instance: InstanceFact) -> Proxy:
    access_path = instance.access_path
    if access_path.kind == "bastion":
        return context.bastions.setdefault(access_path.bastion, Bastion(access_path.bastion))
    if access_path.kind == "ssm":
        port = context.settings.ssh_port
        argv = session_command(context.aws, instance_id=instance.instance_id, port=port)
        return Command(argv, "Systems Manager")
    return DIRECT


@contextmanager
def endpoint_through(
    opened: OpenHost, instance: InstanceFact, authority: str
) -> Iterator[Endpoint]:
    """Give where an instance's services answer from here: through its SSH connection where nothing else comes in."""
    if not instance.access_path.tunnelled:
        yield endpoint_of(instance, authority)
        return
    with tunnel(opened, instance, authority) as endpoint:
        yield endpoint


@contextmanager
def tunnel(
    opened: OpenHost, instance: InstanceFact, authority: str, *, own_ports: bool = False
) -> Iterator[Endpoint]:
    """Give where an instance's services answer on this machine, through its SSH connection.

    With `own_ports` on the services' own ports, as far as these are free here.
    """
    ports = (JUPYTER_PORT, TENSORBOARD_PORT)
    address = instance.private_address or ""
    with forwarded(opened, address=address, ports=ports, same=own_ports) as local:
        jupyter, tensorboard = local
        yield endpoint_of(instance, authority, address=HERE, ports=(jupyter, tensorboard))


def services_answer(
    context: Context, instance: InstanceFact, secrets: Secrets, *, token: str, timeout: float
) -> bool:
    """Look once whether an instance's services answer, through SSH where nothing else comes in."""

    def look(endpoint: Endpoint) -> bool:
        return answers(endpoint, token=token, timeout=timeout)

    return query_services(context, instance, secrets, look) or False


def query_services(
    context: Context, instance: InstanceFact, secrets: Secrets, look: Callable[[Endpoint], T]
) -> T | None:
    """Look at an instance's services, through SSH where nothing else comes in; None where SSH does not either."""
    if not instance.access_path.tunnelled:
        return look(endpoint_of(instance, secrets.authority))
    host = host_of(context, instance, load_private_key(secrets.private_key))
    try:
        with (
            open_host(host, deadline=time.monotonic()) as opened,
            tunnel(opened, instance, secrets.authority) as endpoint,
        ):
            return look(endpoint)
    except HostError:
        return None
