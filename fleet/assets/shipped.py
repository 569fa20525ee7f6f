"""Finds `templates/`, `userdata/`, `amis/` and the commands' effects: in an installed wheel, or beside the package."""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime
from decimal import Decimal
from importlib import resources
from importlib.resources.abc import Traversable

import yaml

from fleet.plan.bake.scripts import BakeTexts
from fleet.plan.environment.bootstrap import LaunchTexts, Texts
from fleet.plan.facts.hardware import Figure
from fleet.plan.images.choice import ImageCatalogue, ImageLine, InstalledFramework
from fleet.plan.images.support import SupportTable
from fleet.plan.images.systems import operating_systems


def shipped(folder: str) -> Traversable:
    """Give one of the shipped folders."""
    package = resources.files("fleet")
    installed = package / "_data" / folder
    if installed.is_dir():
        return installed
    with resources.as_file(package) as beside:
        return beside.parent / folder


@functools.cache
def load_texts() -> Texts:
    """Read the template texts of a bootstrap."""
    templates = shipped("templates")
    return Texts(
        bootstrap=(templates / "bootstrap.sh.j2").read_text("utf-8"),
        parts={
            part.name.removesuffix(".sh.j2"): part.read_text("utf-8")
            for part in (templates / "bootstrap").iterdir()
        },
        jupyter_unit=(templates / "fleet-jupyter.service.j2").read_text("utf-8"),
        tensorboard_unit=(templates / "fleet-tensorboard.service.j2").read_text("utf-8"),
        gate_unit=(templates / "fleet-tensorboard-gate.service.j2").read_text("utf-8"),
        lifetime_unit=(templates / "fleet-lifetime.service.j2").read_text("utf-8"),
        spot_unit=(templates / "fleet-spot.service.j2").read_text("utf-8"),
        tensorboard_server=(templates / "tensorboard_server.py.j2").read_text("utf-8"),
        server_extension=(templates / "jupyter" / "fleet_jupyter.py").read_text("utf-8"),
        lab_extension=(templates / "jupyter" / "remoteEntry.js").read_text("utf-8"),
        lab_package=(templates / "jupyter" / "package.json.j2").read_text("utf-8"),
        numa_unit=(templates / "fleet-numa.service.j2").read_text("utf-8"),
        probe=(templates / "probe_interpreter.py.j2").read_text("utf-8"),
        watchers={
            program.name: program.read_text("utf-8")
            for program in (shipped("userdata") / "watchers").iterdir()
            if program.name.endswith(".py")
        },
    )


@functools.cache
def load_launch_texts() -> LaunchTexts:
    """Read the template texts of a launch."""
    first_boot = (shipped("userdata") / "first-boot.yaml.j2").read_text("utf-8")
    return LaunchTexts(load_texts(), first_boot)


@functools.cache
def load_rotation() -> str:
    """Read the template of the script that changes an environment's token."""
    return (shipped("templates") / "rotate.sh.j2").read_text("utf-8")


@functools.cache
def load_extension() -> str:
    """Read the template of the script that moves a machine's end."""
    return (shipped("templates") / "extend.sh.j2").read_text("utf-8")


@functools.cache
def load_bake_texts() -> BakeTexts:
    """Read what a bake does on its builder; its scripts share parts with the bootstrap's."""
    parts = dict(load_texts().parts)
    for part in (shipped("templates") / "bake").iterdir():
        parts[f"bake/{part.name.removesuffix('.sh.j2')}"] = part.read_text("utf-8")
    programs = {
        program.name: program.read_text("utf-8")
        for program in (shipped("userdata") / "bake").iterdir()
        if program.name.endswith(".py")
    }
    return BakeTexts(parts, programs)


@functools.cache
def load_catalogue() -> ImageCatalogue:
    """Read the DLAMI lines and until when they are patched."""
    data = yaml.safe_load((shipped("amis") / "dlami.yaml").read_text("utf-8"))
    support = yaml.safe_load((shipped("amis") / "support.yaml").read_text("utf-8"))
    return ImageCatalogue(
        owner=data["owner"],
        os=operating_systems(data["users"]),
        lines=tuple(ImageLine(**entry) for entry in data["lines"]),
        interpreters={name: tuple(paths) for name, paths in data["interpreters"].items()},
        support=SupportTable(frameworks=support["frameworks"], os=support["os"]),
        installed={
            name: InstalledFramework(
                entry["package"], tuple(entry["os"]), tuple(entry["architectures"])
            )
            for name, entry in data["installed"].items()
        },
    )


@functools.cache
def load_effects() -> dict[str, list[str]]:
    """Give the effects that the module of each command reaches; those of a checkout are worked out from its source."""
    built = resources.files("fleet") / "_data" / "effects.json"
    if built.is_file():
        effects: dict[str, list[str]] = json.loads(built.read_text("utf-8"))
        return effects
    from buildtools.call_graph import effects_by_command  # noqa: PLC0415 - not in a wheel

    return effects_by_command()


@functools.cache
def load_price_snapshot() -> dict[str, dict[str, Figure]]:
    """Read the prices that ship with the package, each with its date, by region and name."""
    path = resources.files("fleet") / "plan" / "data" / "prices.json"
    data = json.loads(path.read_text("utf-8"))
    figures = {
        name: Figure(
            Decimal(usd), datetime.fromisoformat(entry["date"]).replace(tzinfo=UTC), snapshot=True
        )
        for entry in data["sets"]
        for name, usd in entry["usd"].items()
    }
    return {data["region"]: figures}
