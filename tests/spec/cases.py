"""How the tests load a spec: from a folder, with everything it names looked up in that folder."""

from __future__ import annotations

from pathlib import Path

from fleet.spec.load import Overrides, load_spec, unreadable
from fleet.spec.model import FleetSpec

HERE = Path(__file__).parent
EXAMPLES = HERE.parents[1] / "examples"

PLAIN = """\
name: workshop
members: [ana, ben, chloe]
image: {framework: pytorch}
instances: {types: [g5.xlarge]}
expires: 8h
"""


def load(path: Path, overrides: Overrides | None = None) -> FleetSpec:
    folder = path.parent
    try:
        content = path.read_bytes()
    except OSError as error:
        raise unreadable(path.name, error) from None
    return load_spec(
        content,
        file=path.name,
        read=lambda name: (folder / name).read_bytes(),
        exists=lambda name: name in ("./data", "notes.md", "./setup.sh") and folder.name == "good",
        overrides=overrides or Overrides(),
    )


def load_text(text: str | bytes, overrides: Overrides | None = None) -> FleetSpec:
    def nothing(name: str) -> bytes:
        raise FileNotFoundError(name)

    return load_spec(
        text.encode() if isinstance(text, str) else text,
        file="fleet.yaml",
        read=nothing,
        exists=lambda name: False,
        overrides=overrides or Overrides(),
    )
