"""Tells JupyterLab when this environment is about to stop, and keeps it. A Jupyter server extension (dl-fleet).

GET /fleet/watchers gives the heartbeats of the watchers that run on this machine, each with its age in seconds;
null for one that is expected and was not heard of. POST /fleet/keep asks for an hour.
A file that is saved is activity: the watcher looks at when `saved` was touched.
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.serverapp import ServerApp
from jupyter_server.utils import url_path_join
from tornado import web

HEARTBEATS = Path(os.environ.get("FLEET_WATCH_DIRECTORY") or "/run/fleet")
FILES = Path(os.environ.get("FLEET_PERSON_FILES") or "~/.fleet").expanduser()
EXPECTED = os.environ.get("FLEET_WATCHERS", "").split()
CONTENTS = "https://events.jupyter.org/jupyter_server/contents_service/v1"
CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def heartbeat(name: str) -> dict[str, Any] | None:
    """Read one watcher's heartbeat; None where none of this boot can be read."""
    try:
        told = json.loads((HEARTBEATS / f"{name}.json").read_text("utf-8"))
        age = time.clock_gettime(CLOCK) - told["boot_seconds"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return {**told, "age_seconds": round(age, 1)} if age >= 0 else None


class Watchers(APIHandler):
    """The heartbeats. Being asked is no activity: an open tab asks for as long as it is open."""

    _track_activity = False

    @web.authenticated
    async def get(self) -> None:
        """Give the heartbeat of each watcher."""
        self.finish(json.dumps({"watchers": {name: heartbeat(name) for name in EXPECTED}}))


class Keep(APIHandler):
    """One click: an hour more before this environment counts as idle."""

    @web.authenticated
    async def post(self) -> None:
        """Tell the watcher, which looks at when the file was touched."""
        try:
            (FILES / "keep").touch()
        except OSError as error:
            raise web.HTTPError(507, f"{error.filename}: {error.strerror}") from error
        self.set_status(204)
        self.finish()


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "fleet_jupyter"}]


def _load_jupyter_server_extension(server: ServerApp) -> None:
    async def saved(data: dict[str, Any], **_: object) -> None:
        if data.get("action") == "save":
            try:
                (FILES / "saved").touch()
            except OSError as error:
                server.log.warning("that a file was saved is not told to the watcher: %s", error)

    base = server.web_app.settings["base_url"]
    routes = [("watchers", Watchers), ("keep", Keep)]
    server.web_app.add_handlers(
        ".*$", [(url_path_join(base, "fleet", path), handler) for path, handler in routes]
    )
    server.event_logger.add_listener(schema_id=CONTENTS, listener=saved)
