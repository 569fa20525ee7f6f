"""The command line: click commands, tables, progress, JSON, exit codes.

Imports stay light, so that `fleet --help` is instant.
"""

from __future__ import annotations

import gc
import sys

_ALLOCATIONS_PER_COLLECTION = 200_000
"""Python's own 700 spends a tenth of a short command on collections that free next to nothing."""


def main() -> None:
    """Run the command line and leave with its exit code."""
    from fleet.cli.run import run  # completion and --version import no more than they need

    gc.set_threshold(_ALLOCATIONS_PER_COLLECTION)
    sys.exit(run(sys.argv[1:]))
