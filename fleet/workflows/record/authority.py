"""The fleet's certificate authority, as people see it. Changes nothing."""

from __future__ import annotations

from fleet.errors import NothingFoundError
from fleet.plan.record.certificates import AuthorityFact, describe_certificate
from fleet.workflows.context import Context
from fleet.workflows.record.secrets import describe_secrets


def describe_authority(context: Context, fleet: str) -> AuthorityFact:
    """Describe the fleet's certificate authority; raises NothingFoundError where there is none."""
    found = describe_certificate(describe_secrets(context, fleet).authority, fleet=fleet)
    if found is None:
        raise NothingFoundError(
            f"the certificate authority of fleet {fleet} in Parameter Store holds no certificate",
            remedy="run `fleet up` on its spec again: it makes another one",
        )
    return found
