"""Renders what runs on a host: first-boot user data, the bootstrap script, that of a rotation. Text in, text out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from fleet.plan.environment.local_files import LocalFiles
from fleet.plan.environment.request import BootstrapRequest, request_text
from fleet.plan.images.choice import ChosenImage
from fleet.plan.ports import JUPYTER_PORT, TENSORBOARD_PATH, TENSORBOARD_PORT
from fleet.plan.record.tokens import digest
from fleet.plan.rendering import render
from fleet.plan.tags import expiry_text
from fleet.spec.model import FleetSpec

JUPYTER_PACKAGES = (
    "jupyterlab>=4.4,<5",
    "jupyterlab-git>=0.51,<1",
    "jupyterlab-nvdashboard>=0.11",  # the GPUs' load and memory; 0.14 on needs Python 3.11
    "jupyter-server-proxy>=4.4,<5",  # asks for the token before TensorBoard, which has no login
    "tensorboard>=2.19,<3",
    "jsonschema<4.25",  # from there on it brings a grammar that costs each server 1.3 s at start (its issue 1428)
    "pip",  # for %pip in a notebook
)
"""What the environment's own venv gets; the framework stays in the image's environment."""


@dataclass(frozen=True)
class Texts:
    """The template texts of a bootstrap, read from `templates/` and `userdata/`: each of them counts in its digest.

    `bootstrap` includes the `parts` by name; `watchers` are programs by file name, and no templates.
    """

    bootstrap: str
    parts: Mapping[str, str]
    jupyter_unit: str
    tensorboard_unit: str
    gate_unit: str
    lifetime_unit: str
    spot_unit: str
    tensorboard_server: str
    server_extension: str
    lab_extension: str
    lab_package: str
    numa_unit: str
    probe: str
    watchers: Mapping[str, str]


@dataclass(frozen=True)
class LaunchTexts:
    """The template texts of a launch. `first_boot` is the user data's: a host that runs has it behind it."""

    bootstrap: Texts
    first_boot: str


@dataclass(frozen=True)
class HostBootstrap:
    """What differs between the hosts of a fleet.

    `certificate` is the private key and certificate of the host's servers in PEM, None where it keeps what it has.
    `expires_at` is the host's own, None for never; `spot`: EC2 may take it back.
    """

    member: str
    token: str = field(repr=False)
    tls: bool
    certificate: str | None = field(repr=False)
    bind_address: str
    remote_files: tuple[str, ...]
    expires_at: datetime | None
    spot: bool


def render_first_boot(template: str, *, fleet: str, expires_at: datetime | None) -> str:
    """Render the cloud-init user data. It holds no secret."""
    calendar = calendar_time(expires_at) if expires_at else None
    epoch = int(expires_at.timestamp()) if expires_at else None
    return render(template, fleet=fleet, expires_calendar=calendar, expires_epoch=epoch)


def calendar_time(at: datetime) -> str:
    """Write a point in time as a timer's OnCalendar= takes it (systemd.time(7))."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def bootstrap_digest(texts: Texts, spec: FleetSpec, image: ChosenImage, files: LocalFiles) -> str:
    """Identify what a bootstrap would do, apart from what differs per host.

    An environment that carries this digest in its `fleet:bootstrap` tag needs no second bootstrap.
    """
    return digest(
        *(_in_order(getattr(texts, each.name)) for each in fields(texts)),
        JUPYTER_PACKAGES,
        spec.bootstrap.model_dump(mode="json"),
        spec.idle.total_seconds() if spec.idle else None,
        spec.interruption.model_dump(mode="json"),
        image.interpreters,
        image.install,
        files.script_text,
        files.digest,
    )


def _in_order(text: str | Mapping[str, str]) -> str | list[tuple[str, str]]:
    """Give texts by name in an order that does not depend on how a folder lists them."""
    return text if isinstance(text, str) else sorted(text.items())


def render_bootstrap(
    texts: Texts, request: BootstrapRequest, *, host: HostBootstrap, again: bool = False
) -> str:
    """Render the one bash script that turns a booted host into an environment.

    With `again`, what was done once (the spec's script, installations) is done once more.
    The script holds the person's token and a private key: it travels on stdin, never in an argument.
    """
    places: dict[str, Any] = {
        "jupyter_port": JUPYTER_PORT,
        "tensorboard_port": TENSORBOARD_PORT,
        "tensorboard_path": TENSORBOARD_PATH,
        "watchers": ("lifetime", "spot") if host.spot else ("lifetime",),
    }
    programs = sorted((name, text.rstrip("\n")) for name, text in texts.watchers.items())
    return render(
        texts.bootstrap,
        texts.parts,
        host=host,
        again=again,
        request=request,
        request_text=request_text(request),
        bootstrap=request.bootstrap,
        probe_program=texts.probe,
        jupyter_packages=JUPYTER_PACKAGES,
        jupyter_unit=render(texts.jupyter_unit, **places),
        tensorboard_unit=texts.tensorboard_unit,
        gate_unit=render(texts.gate_unit, **places),
        lifetime_unit=render(texts.lifetime_unit, request=request),
        spot_unit=render(texts.spot_unit, sync=_sync(request, host)),
        watcher_programs=programs,
        watchers_digest=digest(programs),
        expires_at=expiry_text(host.expires_at),
        numa_unit=texts.numa_unit,
        tensorboard_server=render(texts.tensorboard_server, **places),
        server_extension=texts.server_extension,
        lab_extension=texts.lab_extension,
        # Browsers keep a script for a year: another text is another address.
        lab_package=render(texts.lab_package, lab_extension_id=digest(texts.lab_extension)),
        **places,
    )


def _sync(request: BootstrapRequest, host: HostBootstrap) -> str:
    """Write what an interruption saves as the watcher reads it; nothing where nothing is asked for.

    Each member's go below a folder of their own: one person's files never stand in another's place.
    """
    pairs = [{"from": folder, "to": f"{to}/{host.member}"} for folder, to in request.sync]
    return json.dumps(pairs, ensure_ascii=False) if pairs else ""


def render_rotation(template: str, *, account: str | None, token: str) -> str:
    """Render the script that gives an environment another token. It travels on stdin, never in an argument."""
    return render(template, account=account, token=token)
