"""What a bootstrap is asked to make of a host, as it stays there: so it can be done again without the spec.

Pure. It holds no secret: the host keeps it in a file.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from pydantic import ValidationError

from fleet.plan.images.choice import ChosenImage
from fleet.spec.model import Bootstrap, FleetSpec

ACCOUNT = "member"
"""The account of a person without sudo: the same on every host, for a host is one person's."""

REQUEST_FILE = ".fleet/asked.json"
"""Where a host keeps it, below the home of the image's login user."""


@dataclass(frozen=True)
class BootstrapRequest:
    """One member's environment, apart from secrets and from the files that come along.

    `interpreters` are where the image should keep the framework, `install` the packages of a venv of its own
    where the image lacks it. `idle_seconds`: after so long without activity it stops, None for never. `sync` are
    folders under the home and where in S3 a Spot interruption brings them. `bootstrap_id` identifies all of it.
    """

    bootstrap: Bootstrap
    framework: str | None
    interpreters: tuple[str, ...]
    install: tuple[str, ...]
    script_text: str
    ssh_key: str | None
    idle_seconds: int | None
    sync: tuple[tuple[str, str], ...]
    bootstrap_id: str

    @property
    def account(self) -> str | None:
        """The person's own account; None where the person is the login user, who may become root."""
        return None if self.bootstrap.sudo else ACCOUNT


def bootstrap_request(
    spec: FleetSpec,
    image: ChosenImage,
    *,
    script_text: str,
    ssh_key: str | None,
    bootstrap_id: str,
) -> BootstrapRequest:
    """Give what is asked for one member."""
    return BootstrapRequest(
        spec.bootstrap,
        image.framework,
        image.interpreters,
        image.install,
        script_text,
        ssh_key,
        int(spec.idle.total_seconds()) if spec.idle else None,
        spec.interruption.sync,
        bootstrap_id,
    )


def request_text(request: BootstrapRequest) -> str:
    """Write it as one line of JSON."""
    return json.dumps(asdict(request) | {"bootstrap": request.bootstrap.model_dump(mode="json")})


def parse_request(text: str) -> BootstrapRequest | None:
    """Read it; None where a host has none, or one of another version of this product."""
    try:
        found = json.loads(text)
        return BootstrapRequest(
            bootstrap=Bootstrap(**found.pop("bootstrap")),
            interpreters=tuple(found.pop("interpreters")),
            install=tuple(found.pop("install")),
            sync=tuple((folder, to) for folder, to in found.pop("sync")),
            **found,
        )
    except (ValueError, TypeError, KeyError, AttributeError, ValidationError):
        return None
