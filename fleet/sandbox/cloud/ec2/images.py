"""Amazon machine images: the real Deep Learning AMI names, and a few ordinary images of Amazon
Linux and Ubuntu.

They carry the dates, sizes, device names and descriptions that EC2 shows. What the table lacks (ids, some dates) is
made up deterministically here.
"""

from __future__ import annotations

import fnmatch
import hashlib
import re
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from typing import Any

from moto.utilities.utils import load_resource

from fleet.sandbox.cloud.data import dlami_names
from fleet.sandbox.cloud.ec2.image import SandboxImage

AMAZON = "898082745236"
MARKETPLACE = "679593333241"
CANONICAL = "099720109477"

_DATE = re.compile(r"20\d{6}")
_DATED_ELSEWHERE = {
    "Deep Learning OSS Nvidia Driver AMI GPU TensorFlow 2.17 (Ubuntu 22.04)": "2024-10-25",
    "Deep Learning Proprietary Nvidia Driver AMI (Amazon Linux 2) Version 81": "2025-01-15",
}
_STATES_TYPES_SINCE = "2023-11"
"""Descriptions name the supported types since the driver split of 2023-11-15; images of 2022 do
not.
"""
_X86_OSS = "G4dn, G5, G6, Gr6, G6e, P4d, P4de, P5, P5e, P5en, P6-B200"
_X86_OSS_2024 = "G4dn, G5, G6, Gr6, P4, P4de, P5"
_X86_BASE_2026 = f"{_X86_OSS}, P6-B300, G7, G7e"
_X86_PROPRIETARY = "G3, P3, P3dn"
_ARM64 = "G5g, P6e-GB200"
_NOTES = (
    "Release notes: "
    "https://docs.aws.amazon.com/dlami/latest/devguide/appendix-ami-release-notes.html"
)


def load_images(backend: Any) -> dict[str, SandboxImage]:
    """All images of one Region by id."""
    images = [_deep_learning(backend, row) for row in dlami_names()]
    images += [_amazon_linux(backend, row) for row in _latest_amazon_linux(backend.region_name)]
    images += [_ubuntu(backend, *line) for line in _UBUNTU]
    return {image.id: image for image in images}


def image_id_for(name: str, region: str) -> str:
    """The id of a name without one: the same in every run, another in every Region."""
    return "ami-0" + hashlib.sha256(f"{region}/{name}".encode()).hexdigest()[:16]


def _deep_learning(backend: Any, row: dict[str, Any]) -> SandboxImage:
    name, region = row["name"], backend.region_name
    created = _creation_date(row)
    ubuntu = "Ubuntu" in name
    known_here = row.get("image_id") and row.get("region", "us-east-1") == region
    return SandboxImage(
        backend,
        row["image_id"] if known_here else image_id_for(name, region),
        size=_size(row["scheme"]),
        login_user="ubuntu" if ubuntu else "ec2-user",
        deprecates=True,
        name=name,
        description=_description(name, created, row["architecture"], row["scheme"]),
        owner_id=row.get("owner") or MARKETPLACE,
        owner_alias=row.get("owner_alias"),
        image_location=f"{row.get('owner_alias') or 'amazon'}/{name}",
        public=True,
        architecture=row["architecture"],
        creation_date=created,
        root_device_name="/dev/sda1" if ubuntu else "/dev/xvda",
    )


def _creation_date(row: dict[str, Any]) -> datetime:
    text = (
        row.get("creation_date") or _DATED_ELSEWHERE.get(row["name"]) or _guessed_date(row["name"])
    )
    text = {4: f"{text}-07-01", 7: f"{text}-06"}.get(len(text), text)
    parsed = datetime.fromisoformat(text)
    return parsed if parsed.tzinfo else parsed.replace(hour=9, minute=17, tzinfo=UTC)


def _guessed_date(name: str) -> str:
    """Undated names are those of 2017 to 2023 with a version number, one a month or so."""
    version = name.rpartition("Version ")[2] if "Version " in name else "50"
    months = int(float(version))
    return f"{2017 + (10 + months) // 12}-{(10 + months) % 12 + 1:02d}-15"


def _size(scheme: str) -> int:
    """GiB of the root snapshot. 105 to 140 was seen, of multi-framework images; the rest is plausible."""
    if scheme.startswith("multi"):
        return 140
    return 65 if scheme.startswith("base") else 75


def _description(name: str, created: datetime, architecture: str, scheme: str) -> str:
    if scheme in {"neuron", "habana", "qualcomm"} or f"{created:%Y-%m}" < _STATES_TYPES_SINCE:
        return f"{name.partition(' (')[0]}. {_NOTES}"
    if architecture == "arm64":
        types = _ARM64
    elif "Proprietary" in name:
        types = _X86_PROPRIETARY
    elif created.year < 2025:
        types = _X86_OSS_2024
    else:
        types = _X86_BASE_2026 if "Base" in name and created.year >= 2026 else _X86_OSS
    return f"Supported EC2 instances: {types}. {_NOTES}"


@cache
def _latest_amazon_linux(region: str) -> tuple[dict[str, Any], ...]:
    try:
        rows = load_resource(f"ec2/resources/latest_amis/{region}.json")
    except FileNotFoundError:
        return ()
    return tuple(row for row in rows if "preview" not in row["name"])


def _amazon_linux(backend: Any, row: dict[str, Any]) -> SandboxImage:
    return SandboxImage(
        backend,
        row["ami_id"],
        size=8,
        login_user="ec2-user",
        name=row["name"],
        description=row["description"],
        owner_id=row["owner_id"],
        owner_alias="amazon",
        image_location=f"amazon/{row['name']}",
        public=True,
        architecture=row["architecture"],
        creation_date=datetime(2026, 10, 1, 9, 0, tzinfo=UTC),
        root_device_name=row["root_device_name"],
    )


_UBUNTU = tuple(
    (f"ubuntu/images/hvm-ssd-gp3/ubuntu-{release}-{machine}-server-20261015", architecture)
    for release in ("jammy-22.04", "noble-24.04")
    for machine, architecture in (("amd64", "x86_64"), ("arm64", "arm64"))
)


def _ubuntu(backend: Any, name: str, architecture: str) -> SandboxImage:
    return SandboxImage(
        backend,
        image_id_for(name, backend.region_name),
        size=8,
        login_user="ubuntu",
        name=name,
        description="Canonical, Ubuntu, amd64/arm64 server image",
        owner_id=CANONICAL,
        owner_alias=None,
        image_location=f"{CANONICAL}/{name}",
        public=True,
        architecture=architecture,
        creation_date=datetime(2026, 10, 15, 9, 0, tzinfo=UTC),
        root_device_name="/dev/sda1",
    )


def newest_match(
    images: list[SandboxImage], architecture: str, accept: Callable[[str], bool]
) -> SandboxImage | None:
    """The youngest image whose name is accepted: what an SSM `/latest/` parameter points to."""
    matching = [
        image
        for image in images
        if image.architecture == architecture
        and image.owner_id == AMAZON
        and accept(image.name or "")
    ]
    return max(matching, key=lambda image: image.creation_date, default=None)


def parameter_matcher(row: dict[str, Any]) -> Callable[[str], bool]:
    """Which image names an SSM parameter stands for: its glob, or AWS's rule for names without one."""
    pattern = row.get("name_pattern")
    if pattern:
        return lambda name: fnmatch.fnmatchcase(name, pattern)
    ami_type = row["ami_type"]
    return lambda name: ami_type_of(name) == ami_type


def ami_type_of(name: str) -> str:
    """The name in lower case without "deep", "learning", "ami", the architecture and the date."""
    words = name.lower().replace("(", "").replace(")", "").split()
    left_out = {"deep", "learning", "ami", "arm64"}
    return "-".join(word for word in words if word not in left_out and not _DATE.fullmatch(word))
