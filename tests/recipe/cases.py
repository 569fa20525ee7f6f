"""How the tests load a recipe: everything it names is there, but what is called missing."""

from __future__ import annotations

from pathlib import Path

from fleet.recipe.load import load_recipe
from fleet.recipe.model import Recipe

HERE = Path(__file__).parent
AMIS = HERE.parents[1] / "amis"
EXAMPLES = [AMIS / f"{name}.yaml" for name in ("pytorch-team", "tensorflow-venv", "jupyter-ready")]

PLAIN = """\
name: pytorch-team
image: {framework: pytorch}
builder: {instances: {types: [g5.xlarge]}}
"""


def load_text(text: str | bytes) -> Recipe:
    return load_recipe(
        text.encode() if isinstance(text, str) else text,
        file="recipe.yaml",
        exists=lambda name: "missing" not in name,
    )


def load(path: Path) -> Recipe:
    return load_recipe(path.read_bytes(), file=path.name, exists=lambda name: "missing" not in name)
