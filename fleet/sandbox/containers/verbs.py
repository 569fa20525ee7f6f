"""`fleet sandbox host NAME VERB`: what befalls a host, by name. Raises UsageError with one line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fleet.errors import UsageError
from fleet.sandbox.containers.network import Slowness

if TYPE_CHECKING:
    from fleet.sandbox.containers.driver import ContainerDriver

VERBS = ("cut", "slow", "heal", "reboot", "power-off")
_RATE = re.compile(r"(\d+(?:\.\d+)?)(kbit|mbit|gbit)", re.IGNORECASE)
_DELAY = re.compile(r"(\d+)ms")
_LOSS = re.compile(r"(\d+(?:\.\d)?)%")


def act(driver: ContainerDriver, instance_id: str, verb: str, options: Mapping[str, str]) -> None:
    """Do it to a host. Returns once it is done, or for reboot and power-off, once it has begun."""
    if verb == "slow":
        driver.slow(instance_id, read_slowness(options))
    elif verb == "cut":
        driver.cut(instance_id)
    elif verb == "heal":
        driver.heal(instance_id)
    elif verb == "reboot":
        driver.reboot_itself(instance_id)
    elif verb == "power-off":
        driver.power_itself_off(instance_id)
    else:
        raise UsageError(f"a host has no verb {verb!r}", remedy=f"one of {', '.join(VERBS)}")


def read_slowness(options: Mapping[str, str]) -> Slowness:
    """What `--rate 2mbit --delay 100ms --loss 30%` say."""
    rate, delay, loss = (options.get(name, "") for name in ("rate", "delay", "loss"))
    if not (rate or delay or loss):
        raise UsageError(
            "slow needs to know how", remedy="give --rate 2mbit, --delay 100ms or --loss 30%"
        )
    found_loss = _read(_LOSS, "loss", loss, "30%")
    if found_loss and float(found_loss[1]) > 100:
        raise UsageError(f"--loss {loss!r} is more than everything", remedy="give 0% to 100%")
    found_delay = _read(_DELAY, "delay", delay, "100ms")
    _read(_RATE, "rate", rate, "2mbit")
    return Slowness(
        rate=rate.lower(),
        delay_ms=int(found_delay[1]) if found_delay else 0,
        loss=round(float(found_loss[1]) * 10) if found_loss else 0,
    )


def _read(form: re.Pattern[str], name: str, text: str, example: str) -> re.Match[str] | None:
    found = form.fullmatch(text)
    if text and found is None:
        raise UsageError(f"--{name} {text!r} cannot be read", remedy=f"give it as {example}")
    return found
