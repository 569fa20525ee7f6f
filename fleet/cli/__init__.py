"""The command line: click commands, tables, progress, JSON, exit codes.

Imports stay light, so that `fleet --help` is instant.
"""

from __future__ import annotations

import gc
import os
import sys

_ALLOCATIONS_PER_COLLECTION = 200_000
"""Python's own 700 spends a tenth of a short command on collections that free next to nothing."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    # Here, so that importing one command imports no other.
    from fleet.cli.console import Console
    from fleet.cli.run import run
    from fleet.errors import EXIT_INTERRUPTED

    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION)
    code = run(sys.argv[1:], Console(sys.stdin, sys.stdout, sys.stderr))
    if code == EXIT_INTERRUPTED:
        os._exit(code)  # at once: threads that still talk to hosts would otherwise be waited for
    sys.exit(code)
