"""The built pages are what the code says, and every file that a page names is there."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from types import ModuleType

import click
import pytest

from fleet.cli.app import cli

DOCS = Path(__file__).parent.parent / "docs"


def _builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_build", DOCS / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["docs_build"] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    "name",
    [
        "cli.md",
        "spec.md",
        "spec.schema.json",
        "recipe.md",
        "recipe.schema.json",
        "errors.md",
        "iam-policy.json",
        "iam.md",
    ],
)
def test_built_pages_are_up_to_date(name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == _builder().pages()[name], "run `make docs`"


def test_every_command_has_help_with_an_example() -> None:
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        leaves = command.commands.values() if isinstance(command, click.Group) else [command]
        texts = [command.help or "", *(leaf.help or "" for leaf in leaves)]
        assert all(texts), f"fleet {name} says nothing of itself"
        assert any("fleet " in text for text in texts), f"fleet {name} shows no example"


def test_every_option_has_help() -> None:
    for name in cli.list_commands(click.Context(cli)):
        command = cli.get_command(click.Context(cli), name)
        assert command is not None
        for option in command.params:
            assert not isinstance(option, click.Option) or option.help, f"{name} {option.opts}"


PAGES = sorted(
    [*DOCS.glob("*.md"), *(DOCS.parent.glob("*.md")), DOCS.parent / "tests" / "README.md"]
)
A_FILE = re.compile(r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|ya?ml))`")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS.parent)))
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    """A path may leave out `fleet/`, and begins anew in the folder of its page."""
    roots = (DOCS.parent, DOCS.parent / "fleet", page.parent)
    named = A_FILE.findall(page.read_text("utf-8"))
    assert [one for one in named if not any((root / one).exists() for root in roots)] == []
