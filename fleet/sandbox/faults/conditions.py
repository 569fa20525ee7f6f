"""What a fault befalls, how often and for how long; and the options by which that is said.

Takes the text of an option, gives its value; raises ValueError with what is expected.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Literal

Market = Literal["on-demand", "spot"]
Value = str | int | float

LONGEST_SECONDS = 24 * 3600.0
_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h)?")
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, None: 1.0}
_STATUSES = frozenset(str(status.value) for status in HTTPStatus if status >= 400)
_ACTION = re.compile(r"(?:[a-z0-9-]+:)?[A-Za-z0-9*?]+")
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9.]*")
_NAME = re.compile(r"\S+")
_TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9-]+")
_ZONE = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d[a-z]")
_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}")


@dataclass(frozen=True)
class Conditions:
    """The options of one fault. None and the defaults restrict nothing.

    `times` is how often it strikes: calls, or instances for a kind that befalls instances. The
    first `skip` calls pass. All times are in seconds; `for_seconds` counts from the adding.
    `room` is the number of instances that come. `rate` is a probability. `amount` is how bad it is,
    in the words of the kind.
    """

    action: str | None = None
    code: str | None = None
    message: str | None = None
    status: int | None = None
    rate: float = 1.0
    delay_seconds: float = 0.0
    instance_type: str | None = None
    zone: str | None = None
    market: Market | None = None
    room: int = 0
    member: str | None = None
    fleet: str | None = None
    instance_id: str | None = None
    notice_seconds: float = 120.0
    cause: str = "capacity"
    times: int | None = None
    skip: int = 0
    for_seconds: float | None = None
    amount: str = ""


@dataclass(frozen=True)
class Option:
    """One option as the command line shows it. `field` is its place in `Conditions`."""

    flag: str
    metavar: str
    help: str
    field: str
    read: Callable[[str], Value]


def _matching(pattern: re.Pattern[str], expected: str) -> Callable[[str], Value]:
    def read(text: str) -> Value:
        if not pattern.fullmatch(text):
            raise ValueError(expected)
        return text

    return read


def _count(text: str) -> Value:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 1_000_000:
        raise ValueError("a whole number from 1")
    return int(text)


def _none_or_more(text: str) -> Value:
    return 0 if text == "0" else _count(text)


def _seconds(text: str) -> Value:
    match = _DURATION.fullmatch(text)
    seconds = float(match[1]) * _UNITS[match[2]] if match else math.inf
    if seconds > LONGEST_SECONDS:
        raise ValueError("a time such as 500ms, 30s or 2m, at most 24h")
    return seconds


def _rate(text: str) -> Value:
    number = text.removesuffix("%")
    try:
        rate = float(number) / (100 if number != text else 1)
    except ValueError:
        rate = math.nan
    if not 0 < rate <= 1:
        raise ValueError("a share of the calls such as 0.3 or 30%")
    return rate


def _status(text: str) -> Value:
    if text not in _STATUSES:
        raise ValueError("an HTTP status such as 503")
    return int(text)


def _text(text: str) -> Value:
    if not text:
        raise ValueError("some text")
    return text


_action = _matching(_ACTION, "an API action such as CreateFleet, ssm:PutParameter or Describe*")
_type = _matching(_TYPE, "an instance type such as g5.xlarge")
_zone = _matching(_ZONE, "an Availability Zone such as us-east-1a")
_market = _matching(re.compile("on-demand|spot"), "on-demand or spot")
_name = _matching(_NAME, "a name")

ACTION = Option(
    "action", "ACTION", "Only this API action; * stands for anything.", "action", _action
)
CODE = Option("code", "CODE", "AWS's error code.", "code", _matching(_CODE, "an error code"))
MESSAGE = Option(
    "message", "TEXT", "Message [default: AWS's words, where known].", "message", _text
)
STATUS = Option("status", "HTTP", "HTTP status [default: the code's own].", "status", _status)
RATE = Option("rate", "SHARE", "Only this share of the calls: 0.3 or 30%.", "rate", _rate)
TYPE = Option("type", "TYPE", "Only this instance type.", "instance_type", _type)
ZONE = Option("zone", "ZONE", "Only this Availability Zone.", "zone", _zone)
MARKET = Option("market", "MARKET", "Only on-demand or spot.", "market", _market)
MEMBER = Option("member", "NAME", "Only the instance of this member.", "member", _name)
FLEET = Option("fleet", "NAME", "Only instances of this fleet.", "fleet", _name)
INSTANCE = Option(
    "instance-id",
    "ID",
    "Only this instance.",
    "instance_id",
    _matching(_INSTANCE, "an instance id"),
)
CALLS = Option("calls", "K", "For the next K calls [default: for good].", "times", _count)
INSTANCES = Option("instances", "K", "For K instances [default: for all].", "times", _count)
ROOM = Option("instances", "K", "Only K instances come.", "room", _none_or_more)
SKIP = Option("skip", "K", "Let K such calls pass first.", "skip", _none_or_more)
FOR = Option(
    "for", "TIME", "So long from now, such as 30s [default: for good].", "for_seconds", _seconds
)
BANDWIDTH = Option(
    "rate",
    "RATE",
    "Bandwidth each way, such as 2mbit.",
    "amount",
    _matching(re.compile(r"\d+(?:\.\d+)?(?:kbit|mbit|gbit)"), "a bandwidth such as 2mbit"),
)
LOSS = Option(
    "share",
    "SHARE",
    "Packets lost each way, such as 30%.",
    "amount",
    _matching(re.compile(r"(?:\d|[1-9]\d)(?:\.\d)?%|100%"), "a share of the packets such as 30%"),
)
SIZE = Option(
    "size",
    "SIZE",
    "How much there is, such as 200MiB.",
    "amount",
    _matching(re.compile(r"[1-9]\d{0,5}MiB"), "a size such as 200MiB"),
)
CAUSE = Option(
    "cause",
    "CAUSE",
    "capacity or price: the Spot request's status says so [default: capacity].",
    "cause",
    _matching(re.compile("capacity|price"), "capacity or price"),
)
NOTICE = Option("notice", "TIME", "From notice to end [default: 2m].", "notice_seconds", _seconds)


def delay(text: str) -> Option:
    """`--delay` in the words of one kind."""
    return Option("delay", "TIME", text, "delay_seconds", _seconds)
