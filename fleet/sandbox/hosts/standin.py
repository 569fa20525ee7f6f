"""Every stand-in on a host's PATH: hands its name and arguments to the host's init, does what comes
back.

Runs as `python -IS`, so it imports almost nothing: a stand-in must start in some ten milliseconds.
It decides nothing; init does (see `commands`).
"""

import _socket
import os
import sys


def _ask(top: str, words: list[str]) -> bytes:
    where = os.getcwd()
    os.chdir(top)  # a socket's path may not pass 107 characters, a folder's may
    sock = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    sock.connect("run/init")
    os.chdir(where)
    sock.sendall(b"\0".join(os.fsencode(word) for word in [words[0], where, *words[1:]]))
    sock.shutdown(_socket.SHUT_WR)
    parts = []
    while part := sock.recv(65536):
        parts.append(part)
    return b"".join(parts)


def main() -> int:
    """Ask init; write what it says and exit with its code, or become the program it names."""
    name = os.path.basename(sys.argv[0])
    top = os.path.dirname(os.path.dirname(os.path.abspath(sys.argv[0])))
    try:
        reply = _ask(top, [name, *sys.argv[1:]])
    except OSError:
        reply = b""
    head, _, body = reply.partition(b"\n")
    fields = head.split()
    if not fields:
        os.write(2, f"{name}: this host is going down\n".encode())
        return 1
    if fields[0] == b"exec":
        words = body.split(b"\0")
        os.chdir(words[0])
        os.execv(words[1], words[2:])  # noqa: S606
    code, length = int(fields[1]), int(fields[2])
    sys.stdout.buffer.write(body[:length])
    sys.stdout.flush()
    sys.stderr.buffer.write(body[length:])
    return code


if __name__ == "__main__":
    sys.exit(main())
