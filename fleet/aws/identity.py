"""Who calls, and from where."""

from __future__ import annotations

import ipaddress
import urllib.error
import urllib.request

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.errors import EndpointError
from fleet.plan.facts import Identity

CHECKIP_URL = "https://checkip.amazonaws.com"
"""AWS's own service that answers the caller's public address."""

_CHECKIP_SECONDS = 5


@effect("sts:GetCallerIdentity")
def describe_identity(aws: Aws) -> Identity:
    """Ask STS who calls."""
    answer = aws.sts.get_caller_identity()
    return Identity(account_id=answer["Account"], arn=answer["Arn"])


def describe_caller_cidr(url: str) -> str:
    """Ask `url` for the caller's public address; gives it as a CIDR of one address.

    Raises EndpointError where no address comes back.
    """
    remedy = "write your CIDR under access.from instead of `me`, or set FLEET_CHECKIP_URL"
    try:
        with urllib.request.urlopen(url, timeout=_CHECKIP_SECONDS) as answer:  # noqa: S310 - the user's own setting
            text = answer.read(200).decode("ascii", "replace").strip()
        address = ipaddress.ip_address(text)
    except (OSError, urllib.error.URLError) as error:
        raise EndpointError(
            f"{url} does not tell your public address: {error}", remedy=remedy
        ) from error
    except ValueError as error:
        raise EndpointError(f"{url} answers something that is no address", remedy=remedy) from error
    return f"{address}/{address.max_prefixlen}"
