"""The one place where AWS clients are made: time limits, retries per kind of call, our name in the user agent."""

from __future__ import annotations

import contextlib
import difflib
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError

from fleet.aws.translate import one_line, translate
from fleet.errors import EndpointError, FleetError

if TYPE_CHECKING:
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_iam import IAMClient
    from mypy_boto3_pricing import PricingClient
    from mypy_boto3_service_quotas import ServiceQuotasClient
    from mypy_boto3_ssm import SSMClient
    from mypy_boto3_sts import STSClient

PRICING_REGION = "us-east-1"
"""The Price List API answers in us-east-1, eu-central-1 and ap-south-1 only; it prices all regions."""

_CONNECT_SECONDS = 5
_READ_SECONDS = 30
_LAUNCH_READ_SECONDS = 120


def _config(*, attempts: int, read_seconds: int = _READ_SECONDS) -> Config:
    return Config(
        connect_timeout=_CONNECT_SECONDS,
        read_timeout=read_seconds,
        retries={"mode": "standard", "total_max_attempts": attempts},
        user_agent_extra="dl-fleet",
        max_pool_connections=32,
    )


def open_session(*, profile: str | None = None) -> boto3.Session:
    """Open a session; raises CredentialsError where the profile does not exist."""
    try:
        return boto3.Session(profile_name=profile)
    except BotoCoreError as error:
        raise translate(error) from error


def resolve_region(session: boto3.Session, asked: str | None) -> str:
    """Give the region to work in: what was asked for, else the profile's; refuse one that is none."""
    region = asked or session.region_name
    if not region:
        raise FleetError(
            "no region is known",
            remedy="write `region:` in the spec, pass --region, or set AWS_REGION",
        )
    known = [
        name
        for partition in session.get_available_partitions()
        for name in session.get_available_regions("ec2", partition_name=partition)
    ]
    if region not in known:
        near = difflib.get_close_matches(region, known, n=1)
        meant = f"did you mean {near[0]}?" if near else f"for instance {PRICING_REGION}"
        raise FleetError(f"region {region} does not exist", remedy=meant)
    return region


@contextlib.contextmanager
def _making() -> Iterator[None]:
    """Translate what botocore finds wrong before anything is asked: half credentials, a profile without its source."""
    try:
        yield
    except BotoCoreError as error:
        raise translate(error) from error
    except ValueError as error:  # botocore's own word for an endpoint that is no URL
        raise EndpointError(one_line(error), remedy="correct AWS_ENDPOINT_URL") from error


Client = TypeVar("Client")

_one_at_a_time = threading.Lock()
"""For all sessions: several `Aws` may share one, and boto3's sessions are not thread-safe (boto3 guide, "Session")."""


class _made_once(Generic[Client]):  # noqa: N801 - a decorator, as functools.cached_property
    """A client that is made when it is first asked for, and once, however many threads ask."""

    def __init__(self, make: Callable[[Aws], Client]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, _owner: type[Aws], name: str) -> None:
        self._name = name

    def __get__(self, aws: Aws, _owner: type[Aws]) -> Client:
        made = aws.__dict__  # Python looks here first: a client that is made takes no lock
        with _one_at_a_time, _making():
            if self._name not in made:
                made[self._name] = self._make(aws)
            client: Client = made[self._name]
            return client


class Aws:
    """The clients of one session in one region. Use it from any thread.

    `launcher` sends each launching request once: botocore's own retries would hide a lack of
    capacity for minutes, for EC2 counts InsufficientInstanceCapacity among its server errors.
    """

    def __init__(self, session: boto3.Session, *, region: str) -> None:
        self.session = session
        self.region = region

    def in_region(self, region: str) -> Aws:
        """Give the clients of the same session in another region."""
        return self if region == self.region else Aws(self.session, region=region)

    def check_settings(self) -> None:
        """Raise CredentialsError or EndpointError where no client can be made, so that asking again is no use."""
        _ = self.ec2

    @_made_once
    def ec2(self) -> EC2Client:
        """EC2, for everything but launching."""
        return self.session.client("ec2", region_name=self.region, config=_config(attempts=5))

    @_made_once
    def launcher(self) -> EC2Client:
        """EC2, for CreateFleet."""
        config = _config(attempts=1, read_seconds=_LAUNCH_READ_SECONDS)
        return self.session.client("ec2", region_name=self.region, config=config)

    @_made_once
    def ssm(self) -> SSMClient:
        """Systems Manager, for Parameter Store."""
        return self.session.client("ssm", region_name=self.region, config=_config(attempts=5))

    @_made_once
    def iam(self) -> IAMClient:
        """IAM, for instance profiles."""
        return self.session.client("iam", region_name=self.region, config=_config(attempts=3))

    @_made_once
    def sts(self) -> STSClient:
        """STS, to learn who calls."""
        return self.session.client("sts", region_name=self.region, config=_config(attempts=3))

    @_made_once
    def service_quotas(self) -> ServiceQuotasClient:
        """Service Quotas, for EC2's."""
        config = _config(attempts=3)
        return self.session.client("service-quotas", region_name=self.region, config=config)

    @_made_once
    def pricing(self) -> PricingClient:
        """The Price List."""
        config = _config(attempts=3)
        return self.session.client("pricing", region_name=PRICING_REGION, config=config)
