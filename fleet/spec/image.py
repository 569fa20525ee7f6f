"""Which AMI: the image part of a spec, and of a recipe."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import ValidationInfo, field_validator, model_validator

from fleet.spec.forms import Doc, Shape
from fleet.spec.frozen import Frozen
from fleet.spec.refusal import refuse
from fleet.spec.typed import ImageId, ImageName, Version

Framework = Literal["pytorch", "tensorflow", "mxnet", "base"]
# The one list of operating systems: the catalogue of images goes by it, and by what amis/dlami.yaml says of families.
Os = Literal[
    "ubuntu-26.04",
    "ubuntu-24.04",
    "ubuntu-22.04",
    "ubuntu-20.04",
    "amazon-linux-2023",
    "amazon-linux-2",
]


class ImageSelector(Frozen):
    """Which AMI: exactly one of its id, its full name, or a framework to choose one by."""

    shape: ClassVar[Shape] = Shape(one_of=(("framework",), ("id",), ("name",)))

    framework: Annotated[
        Framework | None,
        Doc(
            "The newest Deep Learning AMI with this framework; `base` has drivers and CUDA only.",
            "pytorch",
        ),
    ] = None
    version: Annotated[
        Version | None,
        Doc(
            "The framework's version, whole or its first parts. Quoted: YAML reads 2.10 as 2.1.",
            '"2.9"',
            default="the newest",
            needs="framework",
        ),
    ] = None
    os: Annotated[
        Os | None,
        Doc(
            "The operating system of the AMI.",
            "ubuntu-24.04",
            default="whichever has the newest image",
            needs="framework",
        ),
    ] = None
    id: Annotated[ImageId | None, Doc("An AMI by its id.", "ami-0123456789abcdef0")] = None
    name: Annotated[
        ImageName | None,
        Doc(
            "An AMI by its full name, or by its recipe's name: the stable image that `fleet bake` made by it.",
            "pytorch-team",
        ),
    ] = None

    @field_validator("version", "os")
    @classmethod
    def _narrows_a_framework(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value is None or "framework" not in info.data:
            return value
        if info.data["framework"] is None:
            raise refuse("goes with framework only", "remove it, or write framework: pytorch")
        if info.data["framework"] == "base" and info.field_name == "version":
            raise refuse("has no meaning for a base image", "remove it")
        return value

    @model_validator(mode="after")
    def _exactly_one(self) -> ImageSelector:
        given = [name for name in ("id", "name", "framework") if getattr(self, name) is not None]
        if not given:
            raise refuse("does not say which image", "write framework: pytorch, or id:, or name:")
        if len(given) > 1:
            raise refuse(f"has {' and '.join(given)} at once", "keep one of them")
        return self
