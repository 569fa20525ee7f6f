"""Facts: instances of a fleet, with what their tags say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation

from fleet.plan import tags
from fleet.plan.access_path import AccessPath, parse_access_path
from fleet.plan.facts.hardware import Market

LIVE_STATES = frozenset({"pending", "running", "stopping", "stopped"})
"""Instance states that come back or cost something; `shutting-down` and `terminated` do neither."""


NOTICE = timedelta(minutes=2)
"""So long before its end EC2 says that it takes a Spot Instance back."""


_MARKED = "marked-for-termination"


_ENDED = ("instance-terminated-", "spot-instance-terminated-")


_OWN_SHUTDOWN = "Client.InstanceInitiatedShutdown"


@dataclass(frozen=True)
class SpotStatus:
    """The status of an instance's Spot request: EC2's code, and since when.

    Codes: EC2 user guide, "Get the status of a Spot Instance request". Where EC2 needs the capacity back and
    terminates, the code is `instance-terminated-no-capacity` at once, and the instance runs for two minutes more.
    """

    code: str
    since: datetime | None = None

    @property
    def final(self) -> bool:
        """Whether EC2 has ended the instance, or is about to."""
        return self.code == _MARKED or self.code.startswith(_ENDED)


@dataclass(frozen=True)
class InstanceFact:
    """An instance of a fleet, with what its tags say about it.

    `state_reason_code` is EC2's own, such as `Server.SpotInstanceTermination`. `spot_status` is None where the
    instance is none of Spot, or nobody has asked.
    """

    instance_id: str
    state: str
    instance_type: str
    availability_zone: str
    market: Market
    image_id: str
    public_address: str | None
    private_address: str | None
    launched_at: datetime
    state_reason: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    dns_names: tuple[str, ...] = ()
    state_reason_code: str = ""
    spot_status: SpotStatus | None = None

    @property
    def fleet(self) -> str:
        """Name of the fleet."""
        return self.tags.get(tags.FLEET, "")

    @property
    def member(self) -> str | None:
        """The person's name in the fleet, or None while nobody has it yet."""
        return self.tags.get(tags.MEMBER)

    @property
    def holder(self) -> str:
        """Whose it is; its own id while it is nobody's yet."""
        return self.member or self.instance_id

    @property
    def access_path(self) -> AccessPath:
        """How it is reached."""
        return parse_access_path(self.tags.get(tags.VIA))

    @property
    def address(self) -> str | None:
        """The address at which it is reached, or None while it has none."""
        return self.public_address if self.access_path.public else self.private_address

    @property
    def tls(self) -> bool:
        """Whether its services speak TLS."""
        return self.tags.get(tags.TLS) != tags.NO_TLS

    @property
    def login_user(self) -> str:
        """The image's own user, who may become root."""
        return self.tags.get(tags.LOGIN_USER, "ubuntu")

    @property
    def account(self) -> str:
        """The person's account: one without sudo where the spec says so, else the image's own user."""
        return self.tags.get(tags.ACCOUNT) or self.login_user

    @property
    def live(self) -> bool:
        """Whether it exists still: neither terminated nor on its way there."""
        return self.state in LIVE_STATES

    @property
    def leaving(self) -> bool:
        """Whether EC2 is about to take it back although it still exists: somebody else has to stand in."""
        return self.live and self.spot_status is not None and self.spot_status.final

    @property
    def taken_back_at(self) -> datetime | None:
        """About when EC2 takes it back, or None where that is not known."""
        since = self.spot_status.since if self.spot_status and self.leaving else None
        return since + NOTICE if since else None

    @property
    def ended_by_itself(self) -> bool:
        """Whether it powered itself off, as it does when it is idle, at its expiry, or when somebody on it says so."""
        return not self.live and self.state_reason_code == _OWN_SHUTDOWN

    @property
    def expires_at(self) -> datetime | None:
        """When it ends by itself, or None for never."""
        return tags.parse_expiry(self.tags.get(tags.EXPIRES_AT))

    @property
    def hourly_usd(self) -> Decimal | None:
        """USD per hour at the time of its launch, or None when the tag is not there."""
        try:
            return Decimal(self.tags[tags.HOURLY_USD])
        except (KeyError, InvalidOperation):
            return None


def youngest(instances: Iterable[InstanceFact]) -> InstanceFact | None:
    """Give the instance that was launched last of those that live."""
    live = (one for one in instances if one.live)
    return max(live, key=lambda one: one.launched_at, default=None)
