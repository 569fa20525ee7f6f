"""Writes down who called what: one line `service:Action user-agent` per AWS call, before it is answered.

For who wants to know what a program asks of AWS: FLEET_SANDBOX_CALLS names the file. Several processes may write one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.sandbox.cloud.call import read_call

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

VARIABLE = "FLEET_SANDBOX_CALLS"


def logged(app: WSGIApplication) -> WSGIApplication:
    """Give the application with a log before it, where one is asked for."""
    named = os.environ.get(VARIABLE)
    if not named:
        return app
    path = Path(named)

    def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        call = read_call(environ)
        if call.action:
            _append(path, f"{call.service}:{call.action} {environ.get('HTTP_USER_AGENT', '')}\n")
        return app(environ, start)

    return answer


def _append(path: Path, line: str) -> None:
    """Write in one call at the end of the file, so that lines of several processes do not mix."""
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
