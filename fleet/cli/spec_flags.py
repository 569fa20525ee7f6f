"""The flags that take the place of a spec's values, and the spec as it is read under them."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fleet.cli.session import Globals

if TYPE_CHECKING:
    from fleet.spec.model import FleetSpec

_OPTIONS = (
    click.option("--count", type=int, metavar="N", help="So many environments: env-01, env-02 …"),
    click.option("--market", metavar="MARKET", help="on-demand, spot or spot-first."),
    click.option("--types", metavar="T1,T2", help="Instance types in order of preference."),
    click.option("--expires", metavar="8h", help="When everything ends by itself, or never."),
    click.option("--min", "min_ready", type=int, metavar="K", help="Succeed when K are ready."),
)


@dataclass(frozen=True)
class Flags:
    """The values of the flags; None leaves the spec's own."""

    count: int | None
    market: str | None
    types: str | None
    expires: str | None
    min_ready: int | None


def flag_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the flags to a command, which gets them as `flags`."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        flags = Flags(**{name: kwargs.pop(name) for name in Flags.__dataclass_fields__})
        return function(*args, flags=flags, **kwargs)

    for option in reversed(_OPTIONS):
        call = option(call)
    return call


def read_wanted(options: Globals, spec: Path, flags: Flags) -> FleetSpec:
    """Read a spec under the flags. Raises SpecError; asks AWS nothing."""
    from fleet.assets.spec_files import read_spec
    from fleet.spec.load import Overrides

    types = None if flags.types is None else tuple(part.strip() for part in flags.types.split(","))
    return read_spec(
        spec,
        overrides=Overrides(
            count=flags.count,
            market=flags.market,
            types=types,
            expires=flags.expires,
            min_ready=flags.min_ready,
            region=options.region,
        ),
    )
