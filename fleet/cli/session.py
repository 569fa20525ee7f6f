"""Opens what a command needs: the sandbox when asked for, an AWS session, and the workflow's context."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from fleet.workflows.context import Context
    from fleet.workflows.events import OnEvent


@dataclass(frozen=True)
class Globals:
    """The global options."""

    sandbox: bool
    region: str | None
    profile: str | None

    @property
    def command(self) -> str:
        """How the commands that are offered begin, so that they mean the same cloud, account and region."""
        words = ["fleet", *(["--sandbox"] if self.sandbox else [])]
        for option, value in (("--region", self.region), ("--profile", self.profile)):
            words += [option, value] if value else []
        return " ".join(words)


def sandbox_directory() -> Path:
    """Give where the sandbox keeps everything: FLEET_SANDBOX_DIR, else below XDG_STATE_HOME."""
    if named := os.environ.get("FLEET_SANDBOX_DIR"):
        return Path(named).expanduser().absolute()
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser().absolute() / "fleet" / "sandbox"


def enter_sandbox() -> None:
    """Start the sandbox if it does not run, and point this process at it."""
    from fleet.sandbox import control

    directory = sandbox_directory()
    if control.status(directory) is None:
        click.echo("sandbox: starting …", err=True)
    apply_environment(control.environment(control.start(directory)))


def apply_environment(values: dict[str, str | None]) -> None:
    """Set this process's environment; None unsets."""
    for name, value in values.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def open_context(
    options: Globals, *, on_event: OnEvent | None = None, spec_region: str | None = None
) -> Context:
    """Open the context of a workflow. Raises FleetError where region or profile are wrong."""
    if options.sandbox:
        enter_sandbox()
    from fleet.aws.clients import Aws, open_session, resolve_region
    from fleet.workflows.context import Context, settings_from
    from fleet.workflows.events import silent

    settings = settings_from(os.environ)
    session = open_session(profile=options.profile)
    region = resolve_region(session, options.region or spec_region or settings.region)
    return Context(
        aws=Aws(session, region=region),
        settings=settings,
        on_event=on_event or silent,
    )
