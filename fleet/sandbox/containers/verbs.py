"""`fleet sandbox host VERB`: what befalls a host, by name. Raises UsageError with one line."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from fleet.errors import UsageError
from fleet.sandbox.containers.ailments import per_mille
from fleet.sandbox.containers.links import WHOLE, Link

if TYPE_CHECKING:
    from fleet.sandbox.containers.driver import ContainerDriver

_RATE = re.compile(r"(\d+(?:\.\d+)?)(kbit|mbit|gbit)", re.IGNORECASE)
_DELAY = re.compile(r"(\d+)ms")
_LOSS = re.compile(r"(\d+(?:\.\d)?)%")


def act(driver: ContainerDriver, instance_id: str, verb: str, options: Mapping[str, str]) -> None:
    """Do it to a host. Returns once it is done, or for reboot and power-off, once it has begun."""
    if verb == "reboot":
        driver.reboot_itself(instance_id)
    elif verb == "power-off":
        driver.power_itself_off(instance_id)
    else:
        driver.link(instance_id, _change(verb, options))


def _change(verb: str, options: Mapping[str, str]) -> Callable[[Link], Link]:
    """What the verb makes of a link: the rest of it stays as it is."""
    changes: dict[str, Callable[[], dict[str, object]]] = {
        "cut": lambda: {"cut": True},
        "slow": lambda: _slowness(options),
        "loss": lambda: {"loss": _loss(options.get("share", ""))},
        "no-packages": lambda: {"unserved": True},
        "heal": lambda: dataclasses.asdict(WHOLE),
    }
    if verb not in changes:
        known = ", ".join((*changes, "reboot", "power-off"))
        raise UsageError(f"a host has no verb {verb!r}", remedy=f"one of {known}")
    values = changes[verb]()
    return lambda link: dataclasses.replace(link, **values)  # type: ignore[arg-type]


def _slowness(options: Mapping[str, str]) -> dict[str, object]:
    rate, delay = options.get("rate", ""), options.get("delay", "")
    if not (rate or delay):
        raise UsageError("slow needs to know how", remedy="give --rate 2mbit or --delay 100ms")
    found = _read(_DELAY, "delay", delay, "100ms")
    _read(_RATE, "rate", rate, "2mbit")
    return {"rate": rate.lower(), "delay_ms": int(found[1]) if found else 0}


def _loss(share: str) -> int:
    found = _read(_LOSS, "share", share, "30%")
    if found is None or float(found[1]) > 100:
        raise UsageError(f"--share {share!r} is not a share of all", remedy="give 0% to 100%")
    return per_mille(share)


def _read(form: re.Pattern[str], name: str, text: str, example: str) -> re.Match[str] | None:
    found = form.fullmatch(text)
    if text and found is None:
        raise UsageError(f"--{name} {text!r} cannot be read", remedy=f"give it as {example}")
    return found
