"""What the parts of a recipe demand of each other: steps of the image, tests of the steps, copies of the Region.

Takes parts that are right by themselves, raises RefusedError with every contradiction, each at its place.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleet.spec.refusal import Objection, RefusedError, shown

if TYPE_CHECKING:
    from fleet.recipe.checks import Test
    from fleet.recipe.steps import Step
    from fleet.spec.model import ImageSelector


def at(place: str, message: str, remedy: str) -> RefusedError:
    """The refusal of one key inside the value."""
    return RefusedError(Objection(message, remedy, (place,)))


def check_steps(steps: Sequence[Step | None], image: ImageSelector) -> None:
    """Hold each step against the image's operating system, and against what is on a base image.

    A step that is None has faults of its own.
    """
    found: list[Objection] = []
    for index, step in enumerate(steps):
        if step is None:
            continue
        where = (index, step.kind, "packages")
        if step.kind == "pip" and step.venv is None and image.framework == "base":
            found.append(Objection(_BARE, "add venv: team beside it", where))
        if step.kind == "apt" and image.os is not None and image.os.startswith("amazon-"):
            found.append(
                Objection("is Ubuntu's, and the image is Amazon Linux", "write dnf:", where)
            )
        if step.kind == "dnf" and image.os is not None and image.os.startswith("ubuntu-"):
            found.append(
                Objection("is Amazon Linux's, and the image is Ubuntu", "write apt:", where)
            )
    _raise(found)


def check_tests(
    tests: Sequence[Test | None], steps: Sequence[Step | None], image: ImageSelector
) -> None:
    """Hold each test's venv against those that the steps make; other images and free shell text may have more.

    A step or test that is None has faults of its own.
    """
    made = [step.venv for step in steps if step and step.kind == "pip" and step.venv]
    open_ended = image.framework is None or any(
        step is None or step.kind in ("run", "script") for step in steps
    )
    found: list[Objection] = []
    for index, test in enumerate(tests):
        if test is None or test.kind not in ("run", "import"):
            continue
        if test.kind == "import" and test.venv is None and image.framework == "base":
            found.append(Objection(_BARE, "add venv: team beside it", (index, "import", "modules")))
        if test.venv is not None and test.venv not in made and not open_ended:
            near = difflib.get_close_matches(test.venv, made, n=1)
            remedy = f"did you mean {near[0]}?" if near else "add a step pip: with this venv"
            message = f"{shown(test.venv)} is made by no step"
            found.append(Objection(message, remedy, (index, test.kind, "venv")))
    _raise(found)


def check_output(copy_to: Sequence[str], region: str | None) -> None:
    """Refuse a copy to where the image is made."""
    if region is not None and region in copy_to:
        message = f"{shown(region)} is where the image is made"
        raise RefusedError(Objection(message, "remove it", ("copy_to", copy_to.index(region))))


def check_sharing(share_with: Sequence[str], kms_key: str | None) -> None:
    """Refuse to share what nobody else could launch: images are encrypted, and EBS's own key is the account's alone.

    Source: "Share an AMI with specific AWS accounts", EC2 user guide.
    """
    if share_with and kms_key is None:
        message = (
            "needs a key that can be shared: images are encrypted, and AWS's own key cannot be"
        )
        raise at("share_with", message, "add kms_key: alias/team, which those accounts may use")


_BARE = "is for the framework's environment, and a base image has none"


def _raise(found: list[Objection]) -> None:
    if found:
        raise RefusedError(*found)
