"""What stands around a watcher: a person's folder, Jupyter, instance metadata, and the programs that it asks."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar

from person import Person

Found = TypeVar("Found")
TOKEN = "a-token-of-a-person"
SECONDS = 60  # five times what a busy machine takes


def soon(look: Callable[[], Found | None], seconds: float = SECONDS) -> Found:
    """Wait until there is something to see."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise AssertionError(f"not seen within {seconds} s")


def make_person(folder: Path, port: int = 1, **server: Any) -> Person:
    """A home with what fleet keeps in it."""
    files = folder / "home" / ".fleet"
    files.mkdir(parents=True)
    (files / "token").write_text(TOKEN)
    config = {"ServerApp": {"ip": "127.0.0.1", "port": port, **server}}
    (files / "jupyter_server_config.json").write_text(json.dumps(config))
    return Person(folder / "home", files)


def put_program(folder: Path, name: str, script: str) -> Path:
    """A shell script as a program."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def put_machine(folder: Path) -> Path:
    """A quiet machine with a GPU: `systemctl` and `nvidia-smi` answer from files; gives where they are."""
    programs = folder / "programs"
    (folder / "cpu").write_text("0")
    (folder / "gpu").write_text("0")
    put_program(
        programs,
        "systemctl",
        f"""case "$1" in
poweroff) echo off >>{folder}/off ;;
show) [ "$*" = "show --property=CPUUsageNSec -- -.slice" ] && echo "CPUUsageNSec=$(cat {folder}/cpu)" ;;
esac""",
    )
    put_program(programs, "nvidia-smi", f"exec cat {folder}/gpu")
    return programs


@dataclass
class Answers:
    """An HTTP server's answers by method and path, and what it was asked."""

    by_path: dict[str, tuple[int, str]] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    allow: Callable[[dict[str, str]], bool] = lambda headers: True
    port: int = 0

    def kernel(self, state: str, at: str = "2026-11-21T10:00:00Z") -> None:
        kernels = [{"id": "one", "execution_state": state, "last_activity": at}]
        self.by_path["GET /api/kernels"] = (200, json.dumps(kernels))


@contextmanager
def serve(answers: Answers, pem: Path | None = None) -> Iterator[Answers]:
    """Serve on 127.0.0.1, with TLS where there is a certificate."""

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            answers.asked.append((self.command, self.path, headers))
            status, text = answers.by_path.get(f"{self.command} {self.path}", (404, ""))
            if self.command == "GET" and not answers.allow(headers):
                status, text = 401, ""
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        do_GET = do_PUT = answer  # noqa: N815 - the names that it calls

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its own name
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if pem is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    answers.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield answers
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def jupyter() -> Answers:
    """A Jupyter with an idle kernel, that asks for the person's token."""
    answers = Answers(allow=lambda headers: headers.get("authorization") == f"token {TOKEN}")
    answers.kernel("idle")
    return answers


def end_session(leader: int) -> None:
    """Kill every process of a session."""
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            if os.getsid(int(entry.name)) == leader:
                os.kill(int(entry.name), signal.SIGKILL)
