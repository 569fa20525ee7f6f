"""What the user wants in an image, checked: frozen models that every other layer reads.

Takes values as a person writes them (`90d`, `100GiB`) or as Python has them, gives typed ones.
A value that breaks a rule raises `RefusedError` inside pydantic's ValidationError.
"""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, ValidationInfo, field_validator

from fleet.recipe import coherence
from fleet.recipe.checks import GpuTest, ImportTest, NotebookTest, RunTest, Test
from fleet.recipe.steps import (
    AptStep,
    CondaStep,
    DnfStep,
    DownloadStep,
    FilesStep,
    GitStep,
    PipStep,
    RunStep,
    ScriptStep,
    Step,
)
from fleet.recipe.typed import Account, OutputName, RecipeName, SearchedPath
from fleet.spec.access import Access
from fleet.spec.forms import Doc, Whole
from fleet.spec.frozen import Frozen, distinct
from fleet.spec.model import LONGEST, ImageSelector, Instances, Volume
from fleet.spec.refusal import refuse
from fleet.spec.typed import KmsKey, Region
from fleet.spec.values import format_duration, parse_duration

__all__ = [
    "AptStep",
    "Builder",
    "CondaStep",
    "DnfStep",
    "DownloadStep",
    "FilesStep",
    "GitStep",
    "GpuTest",
    "ImportTest",
    "NotebookTest",
    "Output",
    "PipStep",
    "Recipe",
    "RunStep",
    "RunTest",
    "Scan",
    "ScriptStep",
    "Step",
    "Test",
]

DEFAULT_NAME = "{recipe}-{date}-{time}-{digest}"
DEFAULT_EXPIRY = timedelta(hours=4)
# A bake waits for a boot, the steps, a snapshot and a second boot: what ends sooner ends in the middle of it.
SHORTEST_BAKE = timedelta(minutes=30)
SHORTEST_LIFE = timedelta(days=1)
# EnableImageDeprecation takes no date further away.
LONGEST_LIFE = timedelta(days=3650)
MOST_KEPT = 1000
LONGEST_IMAGE_NAME = 128
LONGEST_DESCRIPTION = 255


def _days(value: object) -> timedelta | None:
    return None if value is None else parse_duration(value)


class Builder(Frozen):
    """The instance that the image is made on. `expires` counts from its launch: an abandoned one ends itself."""

    instances: Annotated[Instances, Doc("What to launch.", "{types: [g5.xlarge]}")]
    volume: Annotated[
        Volume,
        Doc(
            "The builder's root volume, which is as large as the image's; always encrypted.",
            "100GiB",
            default="100GiB of gp3",
        ),
    ] = Volume()
    access: Annotated[Access, Doc("Who may come in.", "{from: [me]}", default="{from: [me]}")] = (
        Access()
    )
    expires: Annotated[
        timedelta,
        BeforeValidator(parse_duration),
        Doc(
            "How long after its launch an abandoned builder terminates by itself, 30m to 30d.",
            "6h",
            default="4h",
        ),
    ] = DEFAULT_EXPIRY

    @field_validator("expires")
    @classmethod
    def _bounded(cls, value: timedelta) -> timedelta:
        if value < SHORTEST_BAKE:
            raise refuse(
                f"is {format_duration(value)}, and a bake takes longer", "write 30m or more"
            )
        if value > LONGEST:
            raise refuse(f"is {format_duration(value)}, more than 30 days", "write 30d or less")
        return value


class Scan(Frozen):
    """What the scan for secrets leaves alone: paths, or patterns of paths, whose findings are no secrets."""

    allow: Annotated[
        tuple[SearchedPath, ...],
        AfterValidator(distinct),
        Doc(
            "Files, or patterns with * and ?, whose findings are no secrets: what is allowed is told at each bake.",
            "[/opt/vendor/test-key.pem]",
            default="none",
        ),
    ] = ()


class Output(Frozen):
    """The image that comes out, and what becomes of it.

    `name` is a pattern with the fields recipe, date, time and digest. `copy_to` are Regions, `share_with` accounts,
    `kms_key` encrypts the image; `deprecate_after` counts from the bake, and of all stable ones `keep` stay. None is
    never, and all.
    """

    name: Annotated[
        OutputName,
        Doc(
            "The images' names, with the fields recipe, date, time (of the bake, UTC) and digest (of the content); "
            "begins with `{recipe}-`.",
            '"{recipe}-{date}-{time}-{digest}"',
        ),
    ] = DEFAULT_NAME
    copy_to: Annotated[
        tuple[Region, ...],
        AfterValidator(distinct),
        Doc("Regions to copy the image to.", "[eu-west-1, us-west-2]", default="none"),
    ] = ()
    share_with: Annotated[
        tuple[Account, ...],
        AfterValidator(distinct),
        Doc(
            "AWS accounts that may launch it. Quoted: YAML reads digits as a number.",
            '["123456789012"]',
            default="none",
        ),
    ] = ()
    kms_key: Annotated[
        KmsKey | None,
        Doc(
            "The KMS key to encrypt the image with: id, ARN or alias.",
            "alias/team",
            default="that of the builder's volume",
        ),
    ] = None
    deprecate_after: Annotated[
        timedelta | None,
        BeforeValidator(_days),
        Doc(
            "How long after the bake EC2 calls the image deprecated, 1d to 3650d.",
            "90d",
            default="not at all",
        ),
    ] = None
    keep: Annotated[
        int | None,
        Whole(1, MOST_KEPT),
        Doc(
            "How many images of this recipe to keep, the new one included; older ones that nobody uses are "
            "deregistered, and their snapshots deleted.",
            "3",
            default="all",
        ),
    ] = None

    @field_validator("deprecate_after")
    @classmethod
    def _some_days(cls, value: timedelta | None) -> timedelta | None:
        if value is None:
            return value
        if value < SHORTEST_LIFE:
            raise refuse(f"is {format_duration(value)}, less than a day", "write 1d or more")
        if value > LONGEST_LIFE:
            raise refuse(f"is {format_duration(value)}, more than EC2 takes", "write 3650d or less")
        return value

    @field_validator("keep")
    @classmethod
    def _at_least_itself(cls, value: int | None) -> int | None:
        if value is not None and value < 1:
            raise refuse(f"is {value}, and the new image is one", "write 1 or more, or remove it")
        if value is not None and value > MOST_KEPT:
            raise refuse(f"is {value}", f"write {MOST_KEPT} or less, or remove it to keep all")
        return value


class Recipe(Frozen):
    """The whole recipe. `region` None is the profile's; `ami` is what comes out, called `output` here."""

    name: Annotated[
        RecipeName,
        Doc(
            "The recipe's name: 1 to 26 letters a-z, digits and '-', a letter first. `image: {name: NAME}` in a spec "
            "means its stable image.",
            "pytorch-team",
        ),
    ]
    description: Annotated[
        str,
        Doc(
            "The images' description, up to 255 characters of ASCII.",
            "PyTorch with our packages",
            default="none",
        ),
    ] = ""
    region: Annotated[
        Region | None,
        Doc("The AWS Region to make the image in.", "us-east-1", default="the profile's"),
    ] = None
    image: Annotated[
        ImageSelector,
        Doc(
            "The AMI to start from: framework (with version and os), id, or name.",
            "{framework: pytorch}",
        ),
    ]
    builder: Annotated[
        Builder,
        Doc(
            "The instance that the image is made on, and the one it is tried on.",
            "{instances: {types: [g5.xlarge]}}",
        ),
    ]
    steps: Annotated[
        tuple[Step, ...],
        Doc(
            "What to do on the builder, in this order. Jupyter, TensorBoard and the kernels are there already.",
            "[{pip: [einops]}]",
            default="none",
            item="step",
        ),
    ] = ()
    tests: Annotated[
        tuple[Test, ...],
        Doc(
            "What must hold on the builder, and again on an instance launched from the image.",
            "[{import: [torch, einops]}]",
            default="none",
            item="test",
        ),
    ] = ()
    scan: Annotated[
        Scan,
        Doc(
            "The search for secrets, before and after sanitising; a finding ends the bake.",
            "{allow: [/opt/vendor/test-key.pem]}",
            default="everything is looked at",
        ),
    ] = Scan()
    output: Annotated[
        Output,
        Doc(
            "The image that comes out, and what becomes of it.",
            "{keep: 3}",
            default="{name: '{recipe}-{date}-{time}-{digest}'}",
            name="ami",
        ),
    ] = Output()

    @field_validator("description")
    @classmethod
    def _as_ec2_takes_it(cls, text: str) -> str:
        if len(text) > LONGEST_DESCRIPTION:
            message = f"has {len(text)} characters, and EC2 takes {LONGEST_DESCRIPTION}"
            raise refuse(message, "shorten it")
        if not (text.isascii() and text.isprintable()):
            raise refuse("has a character that EC2 does not take", "write ASCII in one line")
        return text

    @field_validator("image")
    @classmethod
    def _from_something_else(cls, image: ImageSelector, info: ValidationInfo) -> ImageSelector:
        if image.name is not None and image.name == info.data.get("name"):
            message = "is the recipe itself, so that each image would be made from the one before"
            raise refuse(message, "write framework: pytorch, or another recipe's name")
        return image

    @field_validator("steps")
    @classmethod
    def _fit_the_image(cls, steps: tuple[Step, ...], info: ValidationInfo) -> tuple[Step, ...]:
        if "image" in info.data:
            coherence.check_steps(steps, info.data["image"])
        return steps

    @field_validator("tests")
    @classmethod
    def _fit_the_steps(cls, tests: tuple[Test, ...], info: ValidationInfo) -> tuple[Test, ...]:
        if {"image", "steps"} <= info.data.keys():
            coherence.check_tests(tests, info.data["steps"], info.data["image"])
        return tests

    @field_validator("output")
    @classmethod
    def _fits_the_recipe(cls, output: Output, info: ValidationInfo) -> Output:
        coherence.check_output(output.copy_to, info.data.get("region"))
        if "builder" in info.data:
            key = output.kms_key or info.data["builder"].volume.kms_key
            coherence.check_sharing(output.share_with, key)
        if (
            "name" in info.data
            and len(_filled(output.name, info.data["name"])) > LONGEST_IMAGE_NAME
        ):
            message = f"makes names of more than {LONGEST_IMAGE_NAME} characters"
            raise coherence.at("name", message, "shorten it")
        return output

    @property
    def kms_key(self) -> str | None:
        """The key that the image and its copies are encrypted with; None is EBS's own of the account."""
        return self.output.kms_key or self.builder.volume.kms_key

    def digest(self) -> str:
        """12 hex digits over all that decides what is in the image, and what it has to prove.

        Left out: who gets it and for how long, and how the builder is bought and reached. Types that were filled in
        by need are left out, too: what is cheapest changes by the hour.
        """
        builder = self.builder
        content = {
            "name": self.name,
            "image": _plain(self.image),
            "types": () if builder.instances.by_need else builder.instances.types,
            "needs": _plain(builder.instances, "gpus", "gpu_memory_gib", "vcpus", "memory_gib"),
            "volume": _plain(builder.volume),
            "kms_key": self.output.kms_key,
            "steps": [[step.kind, _plain(step)] for step in self.steps],
            "tests": [[test.kind, _plain(test)] for test in self.tests],
        }
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        return hashlib.sha256(canonical.encode()).hexdigest()[:12]

    def image_name(self, *, made_at: datetime, digest: str) -> str:
        """The name of an image made at this time (UTC), with 12 hex digits over its content."""
        day, time = made_at.strftime("%Y%m%d"), made_at.strftime("%H%M%S")
        return _filled(self.output.name, self.name, day, time, digest)


def _filled(
    pattern: str, recipe: str, day: str = "20261231", time: str = "235959", digest: str = "0" * 12
) -> str:
    fields = {"recipe": recipe, "date": day, "time": time, "digest": digest}
    for field, value in fields.items():
        pattern = pattern.replace(f"{{{field}}}", value)
    return pattern


def _plain(model: Frozen, *fields: str) -> dict[str, object]:
    """What differs from the defaults, so that a key that is added later changes no digest."""
    return model.model_dump(mode="json", exclude_defaults=True, include=set(fields) or None)
