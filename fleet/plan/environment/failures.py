"""Says in one line why a host did not become an environment. Takes what its log says last; reads nothing itself.

What installs on a host (pip, uv, git, cloud-init) ends with an exit status of 1 whatever happened: its words are
all there is to go by, so each rule here was taken from a real host that was made to fail so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_KILLED = 137
"""A shell's exit status for a command that was ended by SIGKILL: 128 + 9."""
_LONGEST = 200


@dataclass(frozen=True)
class Reason:
    """Why, and the remedy."""

    why: str
    remedy: str


_FULL = Reason(
    "the disk is full", "ask for a larger `volume:`; an environment that is there keeps its own"
)
_MEMORY = Reason(
    "it has too little memory, and the kernel ends what needs it",
    "choose an instance type with more memory",
)
_NO_WAY_OUT = Reason(
    "the package index does not answer it",
    "see that its subnet has a way out (an internet or NAT gateway), then run `fleet up` again",
)
_RULES = (
    (re.compile(r"No space left on device|Disk quota exceeded"), _FULL),
    (re.compile(r"Cannot allocate memory|MemoryError|Out of memory|^Killed|oom-kill"), _MEMORY),
    (
        re.compile(
            r"Connect(ion)?Timeout|NewConnectionError|Could not resolve host|dns error|name resolution"
            r"|error trying to connect|tcp connect error|Network is unreachable|operation timed out"
        ),
        _NO_WAY_OUT,
    ),
)
_WITHOUT_FRAMEWORK = re.compile(r"no Python of this image imports \w+")
_SERVICE_KILLED = re.compile(r"code=killed, status=9/KILL|oom-kill")


def step_failure(
    step: str, exit_status: int, log: Sequence[str], *, fleet: str, member: str
) -> Reason:
    """Why a step of the bootstrap failed; `member` is quoted for a shell."""
    known = next((why for rule, why in _RULES if any(map(rule.search, log))), None)
    if exit_status == _KILLED:
        known = _MEMORY
    if known is not None:
        return Reason(f"bootstrap step `{step}` failed: {known.why}", known.remedy)
    lacking = next((found[0] for found in map(_WITHOUT_FRAMEWORK.search, log) if found), None)
    if lacking is not None:
        return Reason(
            lacking,
            f"`fleet logs {fleet} {member} --of bootstrap` shows what was tried; choose another `image:`,"
            " or name one by its id, which promises no framework",
        )
    last = next((line.strip() for line in reversed(log) if line.strip()), "no output")[:_LONGEST]
    remedy = (
        f"see `fleet logs {fleet} {member} --of cloud-init`, correct its user data or its image"
        if step == "cloud-init"
        else f"run it again with `fleet bootstrap {fleet} --member {member}`,"
        " or correct the spec and run `fleet up` again"
    )
    return Reason(f"bootstrap step `{step}` failed (exit status {exit_status}): {last}", remedy)


def step_overdue(step: str) -> Reason:
    """Why a bootstrap was given up whose time was over."""
    return Reason(
        f"bootstrap step `{step}` was not over in time",
        "its link may be slow or lost: `fleet up` goes on from there, `--ready-within` gives it longer",
    )


def service_failure(message: str, remedy: str, log: Sequence[str]) -> Reason:
    """Why a service does not do what it must."""
    if any(map(_SERVICE_KILLED.search, log)):
        return Reason(f"{message}: {_MEMORY.why}", _MEMORY.remedy)
    return Reason(message, remedy)
