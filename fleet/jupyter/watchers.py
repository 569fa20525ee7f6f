"""Asks an environment how its watchers are, through the server extension in its Jupyter."""

from __future__ import annotations

from http.client import HTTPException

from fleet.jupyter.http import Server, request
from fleet.plan.environment.heartbeats import Watchers, parse_watchers

_PATH = "/fleet/watchers"


def ask_watchers(server: Server, *, token: str, timeout: float) -> Watchers | None:
    """Give what the watchers say; None where Jupyter does not tell, as one without the extension does not."""
    try:
        answer = request(server, "GET", _PATH, token=token, timeout=timeout)
        return parse_watchers(answer.json()) if answer.status == 200 else None
    # RecursionError: JSON that is nested too deeply, by somebody who wants to see what happens.
    except (OSError, HTTPException, ValueError, RecursionError):
        return None
