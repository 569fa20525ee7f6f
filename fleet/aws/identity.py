"""Who calls, and from where."""

from __future__ import annotations

import ipaddress
import urllib.error
import urllib.request
from datetime import datetime
from email.utils import parsedate_to_datetime

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.errors import EndpointError
from fleet.plan.facts.account import Identity

CHECKIP_URL = "https://checkip.amazonaws.com"
"""AWS's own service that answers the caller's public address."""

_SECONDS = 20
"""To wait for either answer: a busy machine or a slow proxy needs a few."""


@effect("sts:GetCallerIdentity")
def describe_identity(aws: Aws) -> Identity:
    """Ask STS who calls."""
    answer = aws.sts.get_caller_identity()
    return Identity(account_id=answer["Account"], arn=answer["Arn"])


def describe_time(aws: Aws) -> datetime:
    """Give the time of AWS's clock, to the second, from the Date header of an answer. Needs no credentials."""
    url = aws.sts.meta.endpoint_url
    opener = urllib.request.build_opener(_NoRedirect())
    remedy = "check the network, the proxy and AWS_ENDPOINT_URL"
    try:
        with opener.open(url, timeout=_SECONDS) as answer:
            date = answer.headers["Date"]
    except urllib.error.HTTPError as refusal:
        with refusal:
            date = refusal.headers["Date"]
    except OSError as error:
        raise EndpointError(f"AWS does not answer: {url}: {error}", remedy=remedy) from error
    try:
        return parsedate_to_datetime(date)
    except (TypeError, ValueError) as error:
        raise EndpointError(f"{url} does not tell the time", remedy=remedy) from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """STS sends whoever asks for nothing to a page of its documentation; its answer tells the time already."""

    def redirect_request(self, *_: object) -> None:
        return None


def describe_caller_cidr(url: str) -> str:
    """Ask `url` for the caller's public address; gives it as a CIDR of one address.

    Raises EndpointError where no address comes back.
    """
    remedy = "write your CIDR under access.from instead of `me`, or set FLEET_CHECKIP_URL"
    try:
        with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 - the user's own setting
            text = answer.read(200).decode("ascii", "replace").strip()
        address = ipaddress.ip_address(text)
    except (OSError, urllib.error.URLError) as error:
        raise EndpointError(
            f"{url} does not tell your public address: {error}", remedy=remedy
        ) from error
    except ValueError as error:
        raise EndpointError(f"{url} answers something that is no address", remedy=remedy) from error
    return f"{address}/{address.max_prefixlen}"
