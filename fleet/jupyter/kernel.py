"""Runs one cell in a fresh kernel of a Jupyter server, over its REST API and WebSocket, and takes the kernel away.

Messages: Jupyter client documentation, "Messaging in Jupyter"; REST: Jupyter Server, "REST API".
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from contextlib import closing, suppress
from http.client import HTTPException
from typing import Any

from fleet.errors import ProofError
from fleet.jupyter.http import Server, request

_SECONDS = 15.0


def run_cell(
    server: Server,
    *,
    token: str,
    code: str,
    deadline: float,
    clock: Callable[[], float] = time.monotonic,
) -> str:
    """Run `code` in a new kernel and give what it printed. Raises ProofError, OSError or HTTPException."""
    answer = request(
        server, "POST", "/api/kernels", token=token, body={}, timeout=_left(deadline, clock)
    )
    if answer.status != 201:
        raise ProofError(
            f"Jupyter starts no kernel (HTTP {answer.status})",
            remedy="see `journalctl -u fleet-jupyter`",
        )
    kernel_id = answer.json()["id"]
    try:
        return _execute(server, kernel_id, token=token, code=code, deadline=deadline, clock=clock)
    finally:
        with suppress(OSError, HTTPException):
            request(server, "DELETE", f"/api/kernels/{kernel_id}", token=token, timeout=_SECONDS)


def _execute(
    server: Server,
    kernel_id: str,
    *,
    token: str,
    code: str,
    deadline: float,
    clock: Callable[[], float],
) -> str:
    import websocket  # 30 ms, and only a proof needs it  # noqa: PLC0415

    message, tls = _execute_request(code), server.tls
    printed: list[str] = []
    try:
        socket = websocket.create_connection(
            f"{'wss' if tls else 'ws'}://{server.address}:{server.port}/api/kernels/{kernel_id}/channels",
            header=[f"Authorization: token {token}"],
            timeout=_left(deadline, clock),
            sslopt={"context": tls} if tls else None,
            http_no_proxy=["*"],
        )
        with closing(socket):
            socket.send(json.dumps(message))
            while not _take(json.loads(socket.recv()), printed, asked=message["header"]["msg_id"]):
                socket.settimeout(_left(deadline, clock))
    except websocket.WebSocketTimeoutException as error:
        raise TimeoutError("the kernel did not answer in time") from error
    except websocket.WebSocketException as error:
        raise ConnectionError(str(error)) from error
    return "".join(printed)


def _take(reply: Any, printed: list[str], *, asked: str) -> bool:
    """Take one message; True when the kernel is done with what was asked."""
    if reply.get("parent_header", {}).get("msg_id") != asked:
        return False
    kind, content = reply["msg_type"], reply["content"]
    if kind == "stream" and content["name"] == "stdout":
        printed.append(content["text"])
    elif kind == "error":
        raise ProofError(
            f"the kernel answers {content['ename']}: {content['evalue']}",
            remedy="see `journalctl -u fleet-jupyter` on the host",
        )
    return bool(kind == "status" and content["execution_state"] == "idle")


def _execute_request(code: str) -> dict[str, Any]:
    header = {
        "msg_id": uuid.uuid4().hex,
        "msg_type": "execute_request",
        "username": "fleet",
        "session": uuid.uuid4().hex,
        "version": "5.3",
    }
    content = {
        "code": code,
        "silent": False,
        "store_history": False,
        "user_expressions": {},
        "allow_stdin": False,
        "stop_on_error": True,
    }
    return {
        "header": header,
        "parent_header": {},
        "metadata": {},
        "content": content,
        "channel": "shell",
        "buffers": [],
    }


def _left(deadline: float, clock: Callable[[], float]) -> float:
    left = deadline - clock()
    if left <= 0:
        raise TimeoutError("the kernel did not answer in time")
    return left
