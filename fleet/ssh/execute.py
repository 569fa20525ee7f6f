"""Runs a command on an open host over one channel: bytes in, lines out as they come, exit status at the end."""

from __future__ import annotations

import codecs
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import paramiko

from fleet.errors import UnreachableError
from fleet.ssh.connection import OpenHost

_POLL_SECONDS = 0.5
_CHUNK = 65536

READ_SCRIPT = 'exec bash -c \'IFS= read -r size && eval "$(head -c "$size")"\''
"""Remote command that reads a script's length, the script, and leaves the rest of stdin to the script.

The script never stands in an argument, where every user of the host could read the secrets in it.
"""


@dataclass(frozen=True)
class Outcome:
    """What a command left: its exit status (-1 where the host told none) and its two outputs."""

    exit_status: int
    stdout: str
    stderr: str


def framed(script: str, payload: bytes = b"") -> bytes:
    """Frame a script for READ_SCRIPT; `payload` is what the script finds on its stdin."""
    body = script.encode()
    return str(len(body)).encode() + b"\n" + body + payload


def execute(
    host: OpenHost,
    command: str,
    *,
    stdin: bytes = b"",
    deadline: float,
    on_line: Callable[[str], None] = lambda _: None,
    clock: Callable[[], float] = time.monotonic,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run `command` with `stdin`; each line of stdout goes to `on_line` without its newline.

    Raises UnreachableError when the connection breaks or `deadline` (on `clock`) passes.
    """
    try:
        channel = host.connection.transport.open_session(timeout=15)
        channel.settimeout(_POLL_SECONDS)
        channel.exec_command(command)
        feeder = threading.Thread(target=_feed, args=(channel, stdin), daemon=True)
        feeder.start()
        return _collect(
            channel, on_line=on_line, deadline=deadline, clock=clock, cancelled=cancelled
        )
    except (OSError, EOFError, paramiko.SSHException) as error:
        raise UnreachableError(
            f"the SSH connection to {host.connection.host} broke: {str(error) or type(error).__name__}",
            remedy="run the command again: what is done already is not done twice",
        ) from error


def _feed(channel: paramiko.Channel, data: bytes) -> None:
    """Write stdin while the other thread reads: a full window on one side must not stop the other."""
    sent = 0
    with suppress(OSError, EOFError, paramiko.SSHException):
        while sent < len(data):
            try:
                sent += channel.send(data[sent : sent + _CHUNK])
            except TimeoutError:
                if channel.closed:
                    return
        channel.shutdown_write()


def _collect(
    channel: paramiko.Channel,
    *,
    on_line: Callable[[str], None],
    deadline: float,
    clock: Callable[[], float],
    cancelled: Callable[[], bool],
) -> Outcome:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    out: list[str] = []
    errors: list[bytes] = []
    tail = ""
    while True:
        chunk = _receive(channel)
        _drain_stderr(channel, errors)
        if chunk:
            text = decoder.decode(chunk)
            out.append(text)
            *lines, tail = (tail + text).split("\n")
            for line in lines:
                on_line(line)
        elif chunk == b"":
            break
        if clock() >= deadline or cancelled():
            channel.close()
            raise TimeoutError("the command did not end in time")
    if tail:
        on_line(tail)
    channel.settimeout(max(deadline - clock(), 1.0))
    status = channel.recv_exit_status()
    _drain_stderr(channel, errors)
    channel.close()
    return Outcome(status, "".join(out), b"".join(errors).decode("utf-8", "replace"))


def _receive(channel: paramiko.Channel) -> bytes | None:
    """Receive some bytes; None when nothing came within the poll time, empty at the end."""
    try:
        return channel.recv(_CHUNK)
    except TimeoutError:
        return None


def _drain_stderr(channel: paramiko.Channel, into: list[bytes]) -> None:
    while channel.recv_stderr_ready():
        into.append(channel.recv_stderr(_CHUNK))
