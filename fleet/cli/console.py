"""The streams that a command reads and writes: the process's own, or those that a caller in the process hands in.

The environment is not among them: boto3 and the programs that a command starts know that of the process alone.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from typing import TextIO


@dataclass(frozen=True)
class Console:
    """Whether a stream is a terminal decides on questions, colours and progress."""

    stdin: TextIO
    stdout: TextIO
    stderr: TextIO

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Put these in the place of the process's: click and rich look for those at each call, in any thread."""
        before, sys.stdin = sys.stdin, self.stdin
        try:
            with redirect_stdout(self.stdout), redirect_stderr(self.stderr):
                yield
        finally:
            sys.stdin = before
