"""The fleet's secrets: kept in Parameter Store, read from there by any colleague. `make_secrets` makes them."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.aws.parameters import (
    create_secret,
    delete_parameters,
    read_secrets,
    replace_secret,
)
from fleet.errors import NothingFoundError
from fleet.plan import tags
from fleet.plan.record.generations import Generations, parse_generations
from fleet.plan.record.tokens import Secrets
from fleet.workflows.context import Context

SECRET = "fleet-secret"  # noqa: S105 - the name of a parameter
SSH_KEY = "ssh-key"
AUTHORITY = "certificate-authority"
NAMES = (SECRET, SSH_KEY, AUTHORITY)
_GENERATIONS = "token-generations"
"""Made by the first rotation."""


def delete_secrets(context: Context, fleet: str) -> None:
    """Delete the fleet's secrets, those that are there."""
    names = [f"{tags.parameter_path(fleet)}/{name}" for name in (*NAMES, _GENERATIONS)]
    delete_parameters(context.aws, names=names)


def describe_secrets(context: Context, fleet: str) -> Secrets:
    """Read the fleet's secrets; raises NothingFoundError where they are not there."""
    return complete(read_secrets(context.aws, fleet=fleet), fleet)


def keep_generations(context: Context, fleet: str, generations: Generations) -> None:
    """Keep the generations that new instances begin with; the caller holds the fleet's lease."""
    value, owned = generations.text, tags.fleet_tags(fleet)
    if not create_secret(context.aws, fleet=fleet, name=_GENERATIONS, value=value, tags=owned):
        replace_secret(context.aws, fleet=fleet, name=_GENERATIONS, value=value)


def complete(found: Mapping[str, str], fleet: str) -> Secrets:
    """Give the secrets out of the parameters found, by name; raises NothingFoundError where one is not there."""
    try:
        return Secrets(
            fleet_secret=found[SECRET],
            private_key=found[SSH_KEY],
            authority=found[AUTHORITY],
            generations=parse_generations(found.get(_GENERATIONS)),
        )
    except KeyError as error:
        raise NothingFoundError(
            f"the secrets of fleet {fleet} are not in Parameter Store ({tags.parameter_path(fleet)})",
            remedy=f"run `fleet up` on its spec again, or `fleet down {fleet}`",
        ) from error
