"""Reads the name of a Deep Learning AMI. Takes any text; gives what the name says, or None for what is no DLAMI.

Every naming scheme since 2017 is one pattern below, matched against the whole name. Sources: AWS release notes,
the EC2 user guide and public Describe answers, collected 2026-11-21 (docs/images.md). Pure, and raises for nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Kind = Literal["single", "multi", "base", "neuron", "habana", "qualcomm"]
Driver = Literal["oss", "proprietary"]


@dataclass(frozen=True)
class DlamiName:
    """What an image name says. What it does not say is None; `release` is then an empty text.

    `os` is an id such as "ubuntu-22.04"; the names of 2017 and 2018 say "Ubuntu" or "Amazon Linux" alone.
    `release` is the date (YYYYMMDD) or the version ("60.2", "3.3_Oct2017") at the end of the name.
    """

    kind: Kind
    framework: str | None
    framework_version: str | None
    os: str
    architecture: str
    driver: Driver | None
    release: str


_VERSION = r"\d{1,4}(?:\.\d{1,4}){0,3}"
_OS = r"(?P<os>Ubuntu(?: \d\d\.\d\d)?|Amazon Linux(?: \d{1,4})?)"
_END = rf" \({_OS}\)(?: (?P<date>\d{{8}})| Version (?P<number>{_VERSION}))?"
_DRIVER = r"(?P<driver>OSS|Proprietary) Nvidia Driver"
_FRAMEWORK = rf"(?P<framework>PyTorch|TensorFlow|MXNet) (?P<version>{_VERSION})"
_CUDA = rf"CUDA {_VERSION}"
_LEGACY_END = r"(?P<number>\d{1,3}(?:\.\d{1,3})*_[A-Z][a-z]{2}20\d\d)"

# What stands between "Deep Learning " and the operating system, by kind. ARM64 comes before AMI or Base, and then
# the driver comes after AMI; Graviton, its name of 2021 to 2023, comes after AMI.
_MODERN: tuple[tuple[Kind, str], ...] = (
    ("single", rf"(?:{_DRIVER} )?AMI GPU {_FRAMEWORK}"),
    ("single", rf"(?P<arm>ARM64) AMI (?:{_DRIVER} )?GPU {_FRAMEWORK}"),
    ("single", rf"AMI (?P<arm>Graviton) GPU {_FRAMEWORK}"),
    ("base", rf"AMI (?:(?P<arm>Graviton) )?GPU {_CUDA}"),
    ("base", rf"(?:(?P<arm>ARM64) )?Base (?:{_DRIVER} )?(?:GPU )?AMI"),
    ("base", r"(?:(?P<arm>ARM64) )?Base AMI with Single CUDA"),
    ("multi", rf"(?:{_DRIVER} )?AMI"),
    ("multi", rf"(?P<arm>ARM64) AMI(?: {_DRIVER})?"),
    ("neuron", rf"(?:(?P<arm>ARM64) )?AMI Neuron(?: {_FRAMEWORK})?"),
    ("neuron", rf"AMI Neuron (?:JAX|(?P<framework>PyTorch) Inference vLLM)(?: {_VERSION})?"),
    ("neuron", r"Base Neuron AMI"),
    ("habana", rf"AMI Habana (?:{_FRAMEWORK} )?SynapseAI {_VERSION}"),
    ("habana", r"Base Habana AMI"),
    ("qualcomm", r"Base Qualcomm AMI"),
)
_LEGACY: tuple[tuple[Kind, str], ...] = (
    ("multi", rf"AMI {_OS}(?: Linux)? (?:-|Version) {_LEGACY_END}"),
    ("multi", rf"AMI with Source Code \({_CUDA}, {_OS}\)(?: Version (?P<number>{_VERSION}))?"),
)
# `AWS` stands before some names of 2021 and 2022. Digits are ASCII's: re knows many more.
_SCHEMES: tuple[tuple[Kind, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(rf"(?:AWS )?Deep Learning {text}", re.ASCII))
    for kind, text in (*((kind, words + _END) for kind, words in _MODERN), *_LEGACY)
)


def parse_dlami_name(name: str) -> DlamiName | None:
    """Read an image name; None where it is not, from its first to its last character, a DLAMI's."""
    for kind, pattern in _SCHEMES:
        if match := pattern.fullmatch(name):
            return _read(kind, match.groupdict())
    return None


def version_numbers(version: str | None) -> tuple[int, ...]:
    """Give a version as numbers, so that 2.10 comes after 2.9."""
    return tuple(int(part) for part in (version or "").split(".") if part.isdecimal())


def _read(kind: Kind, said: dict[str, str | None]) -> DlamiName:
    framework, driver = said.get("framework"), said.get("driver")
    return DlamiName(
        kind=kind,
        framework=framework.lower() if framework else None,
        framework_version=said.get("version"),
        os=(said["os"] or "").lower().replace(" ", "-"),
        architecture="arm64" if said.get("arm") else "x86_64",
        driver=_DRIVERS[driver] if driver else None,
        release=said.get("date") or said.get("number") or "",
    )


_DRIVERS: dict[str, Driver] = {"OSS": "oss", "Proprietary": "proprietary"}
