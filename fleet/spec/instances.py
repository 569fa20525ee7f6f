"""What to launch: the instances part of a spec, and of a recipe's builder."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Annotated, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, field_validator, model_validator

from fleet.spec import rules, values
from fleet.spec.forms import Doc, Measure, Shape, Whole
from fleet.spec.frozen import AtLeastOne, Frozen
from fleet.spec.refusal import refuse
from fleet.spec.typed import InstanceProfile, InstanceType
from fleet.spec.values import parse_price, parse_size

Market = Literal["on-demand", "spot", "spot-first"]

NEED_KEYS = ("gpus", "gpu_memory", "vcpus", "memory")


def _price(value: object) -> Decimal | None:
    return None if value is None else parse_price(value)


def _plain(price: Decimal) -> Decimal:
    """The same price without zeros at its end, so that 0.60 and 0.6 have one digest."""
    whole = price.to_integral_value()
    return whole if price == whole else price.normalize()


def _gib(value: object) -> int | None:
    return None if value is None else parse_size(value)


def _up_to(most: int) -> Callable[[int | None], int | None]:
    def check(value: int | None) -> int | None:
        if value is not None and value < 1:
            raise refuse(f"is {value}", "write 1 or more, or remove it")
        if value is not None and value > most:
            raise refuse(f"is {value}, and no instance type has more than {most}", "write less")
        return value

    return check


GiB = Annotated[
    int | None,
    BeforeValidator(_gib),
    AfterValidator(_up_to(rules.MOST_MEMORY_GIB)),
    Measure(values.SIZE_PATTERN),
]


class Instances(Frozen):
    """What to launch: instance types in the order of preference, or what they need; and the market.

    Needs are least values, memory in GiB; a plan fills in `types` by them. `max_price` is the most
    that one instance may cost, in USD per hour: EC2 holds it for Spot, and On-Demand types that cost
    more are left out. `profile` is an instance profile's name or ARN.
    """

    shape: ClassVar[Shape] = Shape(one_of=(("types",), NEED_KEYS))

    types: Annotated[
        tuple[InstanceType, ...],
        AfterValidator(AtLeastOne("name one type", "[g5.xlarge]")),
        Doc(
            "EC2 instance types in order of preference: the next is tried where EC2 has none left.",
            "[g5.xlarge, g4dn.xlarge]",
        ),
    ] = ()
    gpus: Annotated[
        int | None,
        AfterValidator(_up_to(rules.MOST_GPUS)),
        Whole(1, rules.MOST_GPUS),
        Doc(
            "Instead of types: at least so many GPUs. The cheapest types that fit are taken.",
            "1",
            default="1 where another need is written",
        ),
    ] = None
    gpu_memory_gib: Annotated[
        GiB,
        Doc(
            "At least so much memory in each GPU, as EC2 counts it: an A10G or L4 has 22.4 GiB.",
            "16GiB",
            default="any",
            name="gpu_memory",
        ),
    ] = None
    vcpus: Annotated[
        int | None,
        AfterValidator(_up_to(rules.MOST_VCPUS)),
        Whole(1, rules.MOST_VCPUS),
        Doc("At least so many vCPUs.", "8", default="any"),
    ] = None
    memory_gib: Annotated[
        GiB, Doc("At least so much memory.", "32GiB", default="any", name="memory")
    ] = None
    market: Annotated[
        Market, Doc("What to buy; `spot-first` falls back to On-Demand.", "spot-first")
    ] = "on-demand"
    max_price: Annotated[
        Decimal | None,
        BeforeValidator(_price),
        Doc(
            "The most that one instance may cost, in USD per hour, in either market.",
            "0.60",
            default="no limit of its own",
        ),
    ] = None
    profile: Annotated[
        InstanceProfile | None,
        Doc(
            "The IAM instance profile that instances get: its name or ARN.",
            "team-workshop",
            default="none",
        ),
    ] = None

    @field_validator("max_price")
    @classmethod
    def _worth_something(cls, value: Decimal | None) -> Decimal | None:
        if value is None:
            return value
        if not value.is_finite() or value <= 0:
            raise refuse(f"is {value}, and EC2 sells nothing at that", "write it like 0.60")
        return _plain(value)

    @property
    def by_need(self) -> tuple[str, ...]:
        """Names of the needs that are there, as the file calls them; empty where types are named."""
        needs = zip(
            NEED_KEYS, (self.gpus, self.gpu_memory_gib, self.vcpus, self.memory_gib), strict=True
        )
        return tuple(name for name, value in needs if value is not None)

    @model_validator(mode="after")
    def _types_or_needs(self) -> Instances:
        if not self.types and not self.by_need:
            raise refuse(
                "does not say what to launch",
                "write types: [g5.xlarge], or gpus: 1 to choose by need",
            )
        if self.types and self.by_need:
            given = " and ".join(("types", *self.by_need))
            raise refuse(f"has {given} at once", "keep the types, or what they need")
        return self
