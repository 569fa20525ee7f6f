"""What is on an image: packages of the system and of each Python environment, and what differs between two. Pure.

The text is JSON as the host's program prints it: a package is `[version, size in KiB]`. Kept with the image it is
packed into parts that fit a parameter of Parameter Store (4 KiB).
"""

from __future__ import annotations

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fleet.errors import FleetError

MANAGERS = ("apt", "rpm")
PART_LENGTH = 4000
_NO_PACKAGES: Mapping[str, Package] = {}


@dataclass(frozen=True)
class Package:
    """A package's version, and what it takes on the disk in KiB (0: not known)."""

    version: str
    kib: int


@dataclass(frozen=True)
class Manifest:
    """All that is on an image. `used_mib` is what its disk holds; `environments` are by their path, conda's too."""

    system: str
    used_mib: int
    packages: Mapping[str, Mapping[str, Package]] = field(default_factory=dict)
    environments: Mapping[str, Mapping[str, Package]] = field(default_factory=dict)

    @property
    def sections(self) -> Mapping[str, Mapping[str, Package]]:
        """Packages by where they are: a manager of the system's (`apt`), or an environment's path."""
        return {**self.packages, **self.environments}

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape, which is that of the text."""
        managers = {name: _plain(self.packages.get(name, _NO_PACKAGES)) for name in MANAGERS}
        environments = {path: _plain(found) for path, found in self.environments.items()}
        return {
            "system": self.system,
            "used_mib": self.used_mib,
            **managers,
            "environments": environments,
        }


@dataclass(frozen=True)
class Change:
    """A package that is not the same in both: None where it is not there."""

    name: str
    before: Package | None
    after: Package | None

    @property
    def kib(self) -> int:
        """How much more it takes after than before."""
        return (self.after.kib if self.after else 0) - (self.before.kib if self.before else 0)

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape."""
        return {
            "name": self.name,
            "before": self.before.version if self.before else None,
            "after": self.after.version if self.after else None,
            "kib": self.kib,
        }


@dataclass(frozen=True)
class SectionDiff:
    """What differs in one place: a manager of the system's packages, or an environment."""

    where: str
    changes: tuple[Change, ...]

    @property
    def added(self) -> tuple[Change, ...]:
        """What is there only after."""
        return tuple(change for change in self.changes if change.before is None)

    @property
    def removed(self) -> tuple[Change, ...]:
        """What was there only before."""
        return tuple(change for change in self.changes if change.after is None)

    @property
    def changed(self) -> tuple[Change, ...]:
        """What is there in another version."""
        return tuple(change for change in self.changes if change.before and change.after)

    @property
    def kib(self) -> int:
        """How much more the place takes after than before."""
        return sum(change.kib for change in self.changes)

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape."""
        return {
            "where": self.where,
            "added": [change.as_json() for change in self.added],
            "removed": [change.as_json() for change in self.removed],
            "changed": [change.as_json() for change in self.changed],
            "kib": self.kib,
        }


@dataclass(frozen=True)
class ManifestDiff:
    """What differs between two images; `sections` are only those in which something does."""

    before: Manifest
    after: Manifest
    sections: tuple[SectionDiff, ...]

    @property
    def same(self) -> bool:
        """Whether both hold the same packages on the same system."""
        return not self.sections and self.before.system == self.after.system

    @property
    def used_mib(self) -> int:
        """How much more the disk holds after than before."""
        return self.after.used_mib - self.before.used_mib

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape."""
        return {
            "system": {"before": self.before.system, "after": self.after.system},
            "used_mib": {"before": self.before.used_mib, "after": self.after.used_mib},
            "sections": [section.as_json() for section in self.sections],
            "same": self.same,
        }


def parse_manifest(text: str) -> Manifest:
    """Read a manifest. Raises FleetError for what is none."""
    try:
        content: dict[str, Any] = json.loads(text)
        managers = {name: _packages(content.get(name, {})) for name in MANAGERS}
        return Manifest(
            system=str(content["system"]),
            used_mib=int(content["used_mib"]),
            packages={name: found for name, found in managers.items() if found},
            environments={
                str(path): _packages(found) for path, found in content["environments"].items()
            },
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _unreadable() from error


def manifest_text(manifest: Manifest) -> str:
    """Write a manifest: the same one always as the same text."""
    return json.dumps(manifest.as_json(), sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def pack(text: str) -> tuple[str, ...]:
    """Pack a text into parts of at most PART_LENGTH characters; the same text always into the same parts."""
    packed = base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()
    return tuple(packed[at : at + PART_LENGTH] for at in range(0, len(packed), PART_LENGTH))


def unpack(parts: Sequence[str]) -> str:
    """Give the text that was packed, from its parts in their order. Raises FleetError where one is missing."""
    try:
        return gzip.decompress(base64.b64decode("".join(parts), validate=True)).decode()
    except (binascii.Error, EOFError, OSError, ValueError, zlib.error) as error:
        raise _unreadable() from error


def diff(before: Manifest, after: Manifest) -> ManifestDiff:
    """Give what changed from one image to another, the system's packages first."""
    old, new = before.sections, after.sections
    places = [*MANAGERS, *sorted({*before.environments, *after.environments})]
    found = (
        SectionDiff(
            place, tuple(_changes(old.get(place, _NO_PACKAGES), new.get(place, _NO_PACKAGES)))
        )
        for place in places
    )
    return ManifestDiff(before, after, tuple(section for section in found if section.changes))


def _changes(before: Mapping[str, Package], after: Mapping[str, Package]) -> Iterator[Change]:
    """A package of the same version is the same, whatever its files take by now."""
    for name in sorted({*before, *after}):
        old, new = before.get(name), after.get(name)
        if old is None or new is None or old.version != new.version:
            yield Change(name, old, new)


def _packages(content: Any) -> Mapping[str, Package]:
    return {
        str(name): Package(str(version), int(kib))
        for name, (version, kib) in sorted(content.items())
    }


def _plain(packages: Mapping[str, Package]) -> dict[str, list[object]]:
    return {name: [package.version, package.kib] for name, package in packages.items()}


def _unreadable() -> FleetError:
    return FleetError(
        "the list of the image's packages cannot be read", remedy="`fleet bake` makes a new one"
    )
