"""The fleet's secrets: made locally once, kept in Parameter Store, read from there by any colleague."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable
from datetime import datetime

from fleet.aws.parameters import (
    create_secret,
    delete_parameters,
    read_secrets,
    replace_secret,
)
from fleet.errors import NothingFoundError
from fleet.jupyter.certificates import make_authority
from fleet.plan import tags
from fleet.plan.record.certificates import (
    AuthorityFact,
    authority_lifetime,
    authority_serves,
    describe_certificate,
)
from fleet.plan.record.generations import Generations, parse_generations
from fleet.plan.record.tokens import Secrets
from fleet.ssh.keygen import generate_private_key
from fleet.workflows.context import Context

_SECRET = "fleet-secret"  # noqa: S105 - the name of a parameter
_SSH_KEY = "ssh-key"
_AUTHORITY = "certificate-authority"
_NAMES = (_SECRET, _SSH_KEY, _AUTHORITY)
_GENERATIONS = "token-generations"
"""Made by the first rotation."""


def ensure_secrets(context: Context, fleet: str, *, expires_at: datetime | None) -> Secrets:
    """Read the fleet's secrets, making those that are missing. Two callers end with the same ones.

    An authority that would end before the fleet does is replaced, for which `up` holds the fleet's lease.
    """
    now = context.now()
    makers: dict[str, Callable[[], str]] = {
        _SECRET: _random_secret,
        _SSH_KEY: generate_private_key,
        _AUTHORITY: lambda: make_authority(
            fleet, authority_lifetime(now=now, expires_at=expires_at)
        ),
    }
    found = read_secrets(context.aws, fleet=fleet)
    first = True
    for name in [name for name in _NAMES if name not in found]:
        value, owned = makers[name](), tags.fleet_tags(fleet)
        if create_secret(context.aws, fleet=fleet, name=name, value=value, tags=owned):
            found[name] = value
        else:
            first = False
    made = _complete(found if first else read_secrets(context.aws, fleet=fleet), fleet)
    if authority_serves(made.authority, now=now, expires_at=expires_at):
        return made
    value = makers[_AUTHORITY]()
    replace_secret(context.aws, fleet=fleet, name=_AUTHORITY, value=value)
    context.tell(None, "certificate authority", "done", f"a new one: `fleet ca {fleet}`")
    return dataclasses.replace(made, authority=value)


def delete_secrets(context: Context, fleet: str) -> None:
    """Delete the fleet's secrets, those that are there."""
    names = [f"{tags.parameter_path(fleet)}/{name}" for name in (*_NAMES, _GENERATIONS)]
    delete_parameters(context.aws, names=names)


def describe_secrets(context: Context, fleet: str) -> Secrets:
    """Read the fleet's secrets; raises NothingFoundError where they are not there."""
    return _complete(read_secrets(context.aws, fleet=fleet), fleet)


def keep_generations(context: Context, fleet: str, generations: Generations) -> None:
    """Keep the generations that new instances begin with; the caller holds the fleet's lease."""
    value, owned = generations.text, tags.fleet_tags(fleet)
    if not create_secret(context.aws, fleet=fleet, name=_GENERATIONS, value=value, tags=owned):
        replace_secret(context.aws, fleet=fleet, name=_GENERATIONS, value=value)


def describe_authority(context: Context, fleet: str) -> AuthorityFact:
    """Describe the fleet's certificate authority; raises NothingFoundError where there is none."""
    found = describe_certificate(describe_secrets(context, fleet).authority, fleet=fleet)
    if found is None:
        raise NothingFoundError(
            f"the certificate authority of fleet {fleet} in Parameter Store holds no certificate",
            remedy="run `fleet up` on its spec again: it makes another one",
        )
    return found


def _random_secret() -> str:
    return secrets.token_urlsafe(32)


def _complete(found: dict[str, str], fleet: str) -> Secrets:
    try:
        return Secrets(
            fleet_secret=found[_SECRET],
            private_key=found[_SSH_KEY],
            authority=found[_AUTHORITY],
            generations=parse_generations(found.get(_GENERATIONS)),
        )
    except KeyError as error:
        raise NothingFoundError(
            f"the secrets of fleet {fleet} are not in Parameter Store ({tags.parameter_path(fleet)})",
            remedy=f"run `fleet up` on its spec again, or `fleet down {fleet}`",
        ) from error
