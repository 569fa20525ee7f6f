"""Hatchling's hook: writes into the wheel which effects each command reaches; an installed one reads no source."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class EffectsHook(BuildHookInterface[BuilderConfig]):
    """Adds `fleet/_data/effects.json`. An editable wheel has none: there the source may change at any time."""

    PLUGIN_NAME = "custom"
    _folder: tempfile.TemporaryDirectory[str] | None = None

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write the file where the builder finds it."""
        if version == "editable":
            return
        self._folder = tempfile.TemporaryDirectory()
        made = Path(self._folder.name, "effects.json")
        made.write_text(json.dumps(_effects(self.root), indent=1) + "\n", "utf-8")
        build_data["force_include"][str(made)] = "fleet/_data/effects.json"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Delete it: it is in the wheel by now."""
        if self._folder is not None:
            self._folder.cleanup()


def _effects(root: str) -> dict[str, list[str]]:
    sys.path.insert(0, root)  # the builder loads this file by its path
    from buildtools.call_graph import effects_by_command  # noqa: PLC0415

    return effects_by_command()
