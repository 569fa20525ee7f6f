"""Commands that only look start without libraries that they have no use for: each costs a tenth of a second or more."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path

from fleet.cli.app import COMMANDS

HEAVY = {"pydantic", "jinja2", "cryptography"}


def imported_by(module: str) -> set[str]:
    """The modules of ours that a module imports, those that a function of it imports too."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    found = ast.walk(ast.parse(Path(spec.origin).read_text("utf-8")))
    names = {one.module for one in found if isinstance(one, ast.ImportFrom) and one.module}
    return {name for name in names if name.startswith("fleet.") and name != "fleet.sandbox"}


def heavy_after(*commands: str) -> set[str]:
    """Which heavy libraries a process has loaded once it has imported all that commands do, and what runs them."""
    modules = {"fleet.cli.run", *imported_by("fleet.cli.session")}
    for command in commands:
        module = COMMANDS[command][0]
        modules |= {module, *imported_by(module)}
    program = f"import sys, {', '.join(sorted(modules))}\nprint(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=120, check=True
    )
    loaded = set(done.stdout.split())
    assert modules <= loaded
    assert "boto3" in loaded, "their workflows are among them"
    return HEAVY & loaded


def test_commands_that_only_look_load_none() -> None:
    assert heavy_after("status", "urls", "ls", "ssh", "ssh-config", "inventory") == set()


def test_commands_inside_ssh_load_what_that_needs() -> None:
    """Paramiko brings cryptography."""
    assert heavy_after("exec", "logs", "tunnel", "open") == {"cryptography"}
