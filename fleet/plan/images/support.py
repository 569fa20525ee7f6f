"""Says until when an image is patched. Takes what its name says and the table of `amis/support.yaml`. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from fleet.plan.images.dlami_names import DlamiName, version_numbers

SOON = timedelta(days=60)
"""An end of patch that is nearer than this is warned of."""


@dataclass(frozen=True)
class SupportTable:
    """The last day of patches: by framework and version (its first two numbers), and by operating system."""

    frameworks: Mapping[str, Mapping[str, date]]
    os: Mapping[str, date]

    def patched_until(self, name: DlamiName) -> date | None:
        """The last day on which the image's framework and operating system are both patched; None: not known."""
        ends = [self.os.get(name.os)]
        if name.framework is not None:
            ends.append(self._framework_end(name.framework, name.framework_version))
        known = [end for end in ends if end is not None]
        return min(known) if len(known) == len(ends) else None

    def newest_patched(self, framework: str, *, today: date) -> str | None:
        """The newest version of a framework that is patched today."""
        versions = self.frameworks.get(framework, {})
        patched = (version for version, end in versions.items() if end >= today)
        return max(patched, key=version_numbers, default=None)

    def _framework_end(self, framework: str, version: str | None) -> date | None:
        numbers = version_numbers(version)[:2]
        for known, end in self.frameworks.get(framework, {}).items():
            if version_numbers(known) == numbers:
                return end
        return None


def patch_text(name: DlamiName, table: SupportTable, *, today: date) -> str:
    """Say in a few words until when the image is patched, and what is patched where it is not."""
    end = table.patched_until(name)
    if end is None:
        return "end of patch not known"
    if end >= today:
        return f"patched until {end}"
    text = f"patched until {end}: ended"
    if name.framework is None:
        return text
    newest = table.newest_patched(name.framework, today=today)
    return text + (f"; newest still patched is {newest}" if newest else "; no version is patched")


def patch_warning(name: DlamiName, table: SupportTable, *, today: date) -> str | None:
    """Warn of an image whose patches have ended or end soon."""
    end = table.patched_until(name)
    if end is None or end - today > SOON:
        return None
    newest = name.framework and table.newest_patched(name.framework, today=today)
    better = f"; newest still patched is {newest}" if newest else ""
    when = f"ended on {end}" if end < today else f"end on {end}, in {(end - today).days} days"
    return f"security patches of the image {when}{better}"
