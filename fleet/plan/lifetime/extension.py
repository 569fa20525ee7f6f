"""Plans extensions: until when each environment stays, what that costs, and what goes with it. Pure.

The plan holds points in time, never durations: applied twice it extends once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from fleet.errors import UsageError
from fleet.plan import tags
from fleet.plan.environment.bootstrap import calendar_time
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.launch import LaunchTemplateFact
from fleet.plan.hardware.cost import for_hours
from fleet.plan.money import as_number, total
from fleet.plan.record.certificates import authority_serves, describe_certificate
from fleet.plan.rendering import render
from fleet.spec.model import LONGEST

_LIKE = "write it like 2026-11-21T18:00Z or 2026-11-21T18:00+01:00"
_NEXT = re.compile(r"^timer (none|[0-9]+)$", re.MULTILINE)


@dataclass(frozen=True)
class Longer:
    """How much longer: `by` so long, or `until` a time with its zone. UsageError unless it is one of the two."""

    by: timedelta | None = None
    until: datetime | None = None

    def __post_init__(self) -> None:
        if (self.by is None) == (self.until is None):
            raise UsageError(
                "how much longer is not clear", remedy="say for how long (2h), or until when"
            )
        if self.by is not None and self.by <= timedelta(0):
            raise UsageError(
                "no time at all is no extension", remedy="say for how long, such as 2h"
            )
        if self.until is not None and self.until.tzinfo is None:
            raise UsageError(
                f"{self.until.isoformat()} does not say in which time zone", remedy=_LIKE
            )

    def after(self, expires_at: datetime, *, now: datetime) -> datetime:
        """Give the new end of what ends at `expires_at`; what is over already gets its time from now on."""
        if self.until is not None:
            return self.until.astimezone(UTC).replace(microsecond=0)
        return (max(expires_at, now) + (self.by or timedelta(0))).replace(microsecond=0)


@dataclass(frozen=True)
class Stay:
    """One environment that is to stay longer, from `expires_at` on until `until`."""

    instance: InstanceFact
    expires_at: datetime
    until: datetime

    @property
    def member(self) -> str:
        """Whose it is; the instance's id where it is nobody's yet."""
        return self.instance.holder

    @property
    def usd(self) -> Decimal | None:
        """What the time in between costs at the instance's price, None where that is unknown; nothing while stopped."""
        if self.instance.state not in {"pending", "running"}:
            return Decimal(0)
        return for_hours(self.instance.hourly_usd, self.until - self.expires_at)


@dataclass(frozen=True)
class Extension:
    """What `extend` will do. `endless` are members whose environments have no expiry, `enough` those who have as much.

    `template` is the launch template and until when it lets replacements run, None where it stays as it is.
    """

    fleet: str
    region: str
    stays: tuple[Stay, ...]
    endless: tuple[str, ...]
    enough: tuple[str, ...]
    template: tuple[LaunchTemplateFact, datetime] | None
    notes: tuple[str, ...]

    @property
    def usd(self) -> Decimal | None:
        """What all of it costs, None where a price is unknown."""
        return total(stay.usd for stay in self.stays)

    @property
    def nothing(self) -> bool:
        """Whether there is nothing to do."""
        return not self.stays and self.template is None


@dataclass(frozen=True)
class Extended:
    """What became of one environment: `reason` says why it was not extended, empty where it was."""

    stay: Stay
    reason: str = ""

    @property
    def expires_at(self) -> datetime:
        """The end that holds now."""
        return self.stay.expires_at if self.reason else self.stay.until

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of one environment of `fleet extend`."""
        stay = self.stay
        return {
            "member": stay.instance.member,
            "instance_id": stay.instance.instance_id,
            "expires_at_before": tags.expiry_text(stay.expires_at),
            "expires_at": tags.expiry_text(self.expires_at),
            "hourly_usd": as_number(stay.instance.hourly_usd),
            "usd": as_number(_cents(Decimal(0) if self.reason else stay.usd)),
            "extended": not self.reason,
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class ExtensionReport:
    """What an extension did, environment by environment."""

    extension: Extension
    environments: tuple[Extended, ...]

    @property
    def left(self) -> tuple[Extended, ...]:
        """Those that keep their old end."""
        return tuple(one for one in self.environments if one.reason)

    @property
    def usd(self) -> Decimal | None:
        """What the extended ones cost more, None where a price is unknown."""
        return total(one.stay.usd for one in self.environments if not one.reason)

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape of `extend`; prices in USD, times UTC in ISO 8601."""
        extension = self.extension
        template = extension.template
        return {
            "fleet": extension.fleet,
            "region": extension.region,
            "usd": as_number(_cents(self.usd)),
            "environments": [one.as_json() for one in self.environments],
            "replacements_expire_at": tags.expiry_text(template[1]) if template else None,
            "endless": list(extension.endless),
            "enough": list(extension.enough),
            "notes": list(extension.notes),
        }


def parse_time(text: str) -> datetime:
    """Read a point in time in ISO 8601. Raises UsageError."""
    try:
        found = datetime.fromisoformat(text)
        return found if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UsageError(f"{text!r} is not a time", remedy=_LIKE) from error


def plan_extension(
    instances: Sequence[InstanceFact],
    longer: Longer,
    *,
    fleet: str,
    region: str,
    template: LaunchTemplateFact | None,
    authority: str,
    now: datetime,
) -> Extension:
    """Plan an extension of these instances. `template` is the fleet's where the whole fleet is meant, else None.

    `authority` is the PEM of the fleet's. Raises UsageError for an end that is over, or more than 30 days off.
    """
    _require_future(longer, now)
    ends = [(one, one.expires_at) for one in instances]
    wanted = [
        Stay(one, expires_at, longer.after(expires_at, now=now))
        for one, expires_at in ends
        if expires_at is not None
    ]
    stays = tuple(stay for stay in wanted if stay.until > stay.expires_at)
    for stay in stays:
        _require_within(stay.member, stay.until, stay.instance.launched_at, "its launch")
    replaced = _template(template, longer, now=now)
    if replaced is not None:
        _require_within("a replacement", replaced[1], now, "now")
    latest = max((stay.until for stay in stays if stay.instance.tls), default=None)
    return Extension(
        fleet=fleet,
        region=region,
        stays=stays,
        endless=tuple(one.holder for one, expires_at in ends if expires_at is None),
        enough=tuple(stay.member for stay in wanted if stay.until <= stay.expires_at),
        template=replaced,
        notes=() if latest is None else _about_authority(authority, latest, fleet=fleet, now=now),
    )


def render_extension(template: str, *, until: datetime) -> str:
    """Render the script that moves a machine's end. It prints `timer` and the next time at which its timer fires."""
    return render(template, expires_at=tags.expiry_text(until), calendar=calendar_time(until))


def timer_holds(said: str, *, until: datetime) -> bool:
    """Whether a machine's timer ends it at `until`, by what the script printed; where it has none, its watcher does."""
    found = _NEXT.search(said)
    return found is not None and found[1] in {"none", str(int(until.timestamp()))}


def _template(
    template: LaunchTemplateFact | None, longer: Longer, *, now: datetime
) -> tuple[LaunchTemplateFact, datetime] | None:
    expires_at = tags.parse_expiry(template.expires_at) if template else None
    if template is None or expires_at is None:
        return None
    until = longer.after(expires_at, now=now)
    return (template, until) if until > expires_at else None


def _require_future(longer: Longer, now: datetime) -> None:
    if longer.until is not None and longer.until <= now:
        raise UsageError(
            f"{tags.expiry_text(longer.until)} is over", remedy="name a time that is to come"
        )


def _require_within(what: str, until: datetime, start: datetime, since: str) -> None:
    latest = start + LONGEST
    if until > latest:
        raise UsageError(
            f"{what} would run until {tags.expiry_text(until)}, more than {LONGEST.days} days from {since}",
            remedy=f"extend until {tags.expiry_text(latest)} at the latest, or launch it anew",
        )


def _about_authority(
    authority: str, latest: datetime, *, fleet: str, now: datetime
) -> tuple[str, ...]:
    """Say so where the certificates end first. Not renewed here: Jupyter would start anew, and everybody trust anew."""
    found = describe_certificate(authority, fleet=fleet)
    if found is None or authority_serves(authority, now=now, expires_at=latest):
        return ()
    ends = f"the certificates of {fleet} end on {found.ends_at.astimezone(UTC):%d %B %Y}"
    remedy = "the next `fleet up` makes new ones: Jupyter starts anew then, and people have to trust the fleet again"
    return (f"{ends}; {remedy}",)


def _cents(value: Decimal | None) -> Decimal | None:
    return None if value is None else round(value, 6)
