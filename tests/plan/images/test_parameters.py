"""The SSM parameter of a line: its name, which ones are asked for, and what is said where it differs."""

from __future__ import annotations

from fleet.assets.shipped import load_catalogue
from fleet.plan.images.choice import parse_dlami_name
from fleet.plan.images.parameters import parameter_of, parameters_to_ask
from fleet.spec.model import ImageSelector
from tests.plan.images.test_choice import BASE, image, pytorch
from tests.plan.images.test_fit import ARM, NEURON
from tests.plan.worlds import observed, plan

X86 = "/aws/service/deeplearning/ami/x86_64"
PATH = f"{X86}/oss-nvidia-driver-gpu-pytorch-2.9-ubuntu-24.04/latest/ami-id"


def path_of(name: str) -> str | None:
    parsed = parse_dlami_name(name)
    assert parsed is not None
    return parameter_of(parsed)


def test_parameters_are_named_after_the_line() -> None:
    assert path_of(pytorch("2.9.1").name) == PATH
    assert path_of(BASE.name) == f"{X86}/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"
    assert path_of(NEURON.name) is None


def test_the_newest_of_each_architecture_is_asked_for() -> None:
    images = [pytorch("2.9"), ARM, pytorch("2.8"), image("our-own")]
    asked = parameters_to_ask(ImageSelector(framework="pytorch"), images, load_catalogue())
    arm = "/arm64/oss-nvidia-driver-gpu-pytorch-2.12-ubuntu-24.04/latest/ami-id"
    assert asked == ("/aws/service/deeplearning/ami" + arm, PATH)
    assert parameters_to_ask(ImageSelector(name="our-own"), images, load_catalogue()) == ()


def test_another_image_in_the_parameter_is_said_and_nothing_more() -> None:
    other = "ami-0fffffffffffffff0"
    found = plan(facts=observed(line_parameters={PATH: other}))
    assert found.image.image_id == plan().image.image_id
    assert found.image.why.endswith(f"SSM names {other} as the line's latest")
    same = plan(facts=observed(line_parameters={PATH: plan().image.image_id}))
    assert "SSM" not in same.image.why
