"""Makes the fleet's secrets, locally and once, and keeps them in Parameter Store."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable
from datetime import datetime

from fleet.aws.parameters import create_secret, read_secrets, replace_secret
from fleet.jupyter.certificates import make_authority
from fleet.plan import tags
from fleet.plan.record.certificates import authority_lifetime, authority_serves
from fleet.plan.record.tokens import Secrets
from fleet.ssh.keygen import generate_private_key
from fleet.workflows.context import Context
from fleet.workflows.record.secrets import AUTHORITY, NAMES, SECRET, SSH_KEY, complete


def ensure_secrets(context: Context, fleet: str, *, expires_at: datetime | None) -> Secrets:
    """Read the fleet's secrets, making those that are missing. Two callers end with the same ones.

    An authority that would end before the fleet does is replaced, for which `up` holds the fleet's lease.
    """
    now = context.now()
    makers: dict[str, Callable[[], str]] = {
        SECRET: _random_secret,
        SSH_KEY: generate_private_key,
        AUTHORITY: lambda: make_authority(
            fleet, authority_lifetime(now=now, expires_at=expires_at)
        ),
    }
    found = read_secrets(context.aws, fleet=fleet)
    first = True
    for name in [name for name in NAMES if name not in found]:
        value, owned = makers[name](), tags.fleet_tags(fleet)
        if create_secret(context.aws, fleet=fleet, name=name, value=value, tags=owned):
            found[name] = value
        else:
            first = False
    made = complete(found if first else read_secrets(context.aws, fleet=fleet), fleet)
    if authority_serves(made.authority, now=now, expires_at=expires_at):
        return made
    value = makers[AUTHORITY]()
    replace_secret(context.aws, fleet=fleet, name=AUTHORITY, value=value)
    context.tell(None, "certificate authority", "done", f"a new one: `fleet ca {fleet}`")
    return dataclasses.replace(made, authority=value)


def _random_secret() -> str:
    return secrets.token_urlsafe(32)
