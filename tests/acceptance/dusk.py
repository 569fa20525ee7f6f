"""A fleet of one on Spot whose end is looked at: told of, put off, and come."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.sandbox.hosts.paths import HostPaths
from tests.command import Cli, write_spec

NAME = "dusk"
AS_FIRST = {"idle": "60m", "interruption": "{sync: {~/work: s3://team-bucket/dusk}}"}


@dataclass(frozen=True)
class Dusk:
    """The fleet. Its one member is ana."""

    cli: Cli
    folder: Path

    def up(self, **changes: str) -> str:
        """Bring it up by its spec with changes; give what was told."""
        market = "{types: [g4dn.xlarge], market: spot}"
        wishes = {**AS_FIRST, **changes}
        spec = write_spec(self.folder, NAME, members="[ana]", instances=market, **wishes)
        done = self.cli("--sandbox", "up", str(spec))
        assert done.returncode == 0, done.stderr
        return done.stderr

    def said(self, line: str) -> str:
        """Run a line on the host."""
        told = self.cli.json("--sandbox", "exec", "-o", "json", NAME, "--", line)["results"][0]
        assert told["exit_status"] == 0, told
        return str(told["stdout"])

    def environments(self) -> list[dict[str, Any]]:
        told = self.cli("--sandbox", "status", NAME, "-o", "json")
        found: list[dict[str, Any]] = json.loads(told.stdout)["environments"] if told.stdout else []
        return found

    @property
    def url(self) -> str:
        """Ana's link."""
        (ana,) = self.cli.json("--sandbox", "urls", NAME, "-o", "json")["environments"]
        return str(ana["jupyter_url"])

    @property
    def host(self) -> HostPaths:
        (ana,) = self.environments()
        return HostPaths(self.cli.folder / "sandbox" / "hosts" / ana["instance_id"], "ubuntu")

    def authority(self) -> Path:
        """The certificate of the fleet's authority, in a file."""
        file = self.folder / "authority.pem"
        file.write_text(self.cli("--sandbox", "ca", NAME).stdout)
        return file
