"""The command line: click commands, tables, progress, JSON, exit codes.

Imports stay light, so that `fleet --help` is instant.
"""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command line and leave with its exit code."""
    from fleet.cli.run import run  # noqa: PLC0415 - completion and --version import no more than they need

    sys.exit(run(sys.argv[1:]))
