"""What the stand-ins of a host answer: one function per program, called in init.

Takes a request (who was called, with what, from where), gives text and an exit code, or the program
to become.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Request:
    """A stand-in was called. `pid` is the process that asks."""

    name: str
    arguments: tuple[str, ...]
    directory: str
    pid: int = 0


@dataclass(frozen=True)
class Reply:
    """What it must write and how it must exit."""

    code: int = 0
    out: str = ""
    err: str = ""


@dataclass(frozen=True)
class Become:
    """The program that the stand-in must turn into: an absolute path, argv, and where unless
    here."""

    program: str
    argv: tuple[str, ...]
    directory: str = "."


Answer = Reply | Become
Command = Callable[[Request], Awaitable[Answer]]


def failed(request: Request, message: str, *, code: int = 1) -> Reply:
    """A refusal in the usual form."""
    return Reply(code=code, err=f"{request.name}: {message}\n")


def answers(function: Callable[[Request], Answer]) -> Command:
    """A command that answers at once."""

    async def command(request: Request) -> Answer:
        return function(request)

    return command


def _encode(answer: Answer) -> bytes:
    if isinstance(answer, Become):
        return b"exec\n" + b"\0".join(
            map(os.fsencode, [answer.directory, answer.program, *answer.argv])
        )
    out, err = os.fsencode(answer.out), os.fsencode(answer.err)
    return f"exit {answer.code} {len(out)}\n".encode() + out + err


def _peer(writer: asyncio.StreamWriter) -> int:
    sock = writer.get_extra_info("socket")
    raw = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    return int(struct.unpack("3i", raw)[0])


async def serve(path: Path, commands: Mapping[str, Command]) -> asyncio.Server:
    """Answer the stand-ins on the socket `path`. Changes the working directory to its parent's."""
    os.chdir(path.parent.parent)  # a socket's path may not pass 107 characters

    async def on_call(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name, directory, *words = map(os.fsdecode, (await reader.read()).split(b"\0"))
            request = Request(name, tuple(words), directory, _peer(writer))
            writer.write(_encode(await commands[name](request)))
            await writer.drain()
        except (OSError, ValueError, KeyError):
            pass  # the stand-in was killed, or is none of ours: it reads an empty answer
        finally:
            writer.close()

    return await asyncio.start_unix_server(on_call, f"{path.parent.name}/{path.name}")
