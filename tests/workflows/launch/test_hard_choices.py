"""The seven hard choices of an image, each over the images that AWS really published."""

from __future__ import annotations

import pytest
from moto.ec2.models import ec2_backends

from fleet.errors import FleetError, NotFoundError
from fleet.plan.images.dlami_names import parse_dlami_name, version_numbers
from tests.workflows.conftest import World

pytestmark = pytest.mark.slow


def numbers(world: World, image: str) -> tuple[int, ...]:
    name = parse_dlami_name(world.plan(image=image).image.name)
    assert name is not None
    return version_numbers(name.framework_version)[:2]


def test_pytorch_2_10_is_newer_than_2_9(world: World) -> None:
    assert numbers(world, '{framework: pytorch, version: "2.9"}') == (2, 9)
    assert numbers(world, '{framework: pytorch, version: "2.10"}') == (2, 10)
    assert numbers(world, "{framework: pytorch}") > (2, 9)


def test_g5g_gets_an_image_for_arm64(world: World) -> None:
    image = world.plan(instances="{types: [g5g.xlarge]}").image
    assert image.architecture == "arm64"
    assert image.name.startswith("Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch")


def test_p3_is_refused_with_a_current_image(world: World) -> None:
    with pytest.raises(FleetError, match=r"open driver, which the image has, .* the p3 family"):
        world.plan(instances="{types: [p3.2xlarge]}")


def test_g4ad_is_refused(world: World) -> None:
    with pytest.raises(FleetError, match=r"g4ad\.xlarge: its accelerators are AMD's"):
        world.plan(instances="{types: [g4ad.xlarge]}")


def test_tensorflow_today(world: World) -> None:
    visible = world.plan(image="{framework: tensorflow}").image
    assert "TensorFlow 2.18" in visible.name
    assert "no version is patched" in visible.why
    installed = world.plan(image='{framework: tensorflow, version: "2.19"}').image
    assert " Base " in installed.name
    assert installed.install == ("tensorflow[and-cuda]==2.19.*",)
    assert "AWS publishes no such image" in installed.why


def test_mxnet_today(world: World) -> None:
    with pytest.raises(NotFoundError, match="AWS stopped publishing MXNet images") as caught:
        world.plan(image="{framework: mxnet}")
    assert "use framework: base" in caught.value.remedy


def test_an_image_that_vanished_is_not_replaced_in_silence(world: World) -> None:
    plan = world.plan(members="[ana]")
    world.served.ec2.run_instances(
        ImageId=plan.image.image_id,
        InstanceType="g5.xlarge",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[
            {
                "ResourceType": "instance",
                "Tags": [
                    {"Key": "fleet:name", "Value": "workshop"},
                    {"Key": "fleet:member", "Value": "ana"},
                ],
            }
        ],
    )
    assert world.plan(members="[ana, ben]").image.image_id == plan.image.image_id
    account = world.served.cloud.state.settings.account_id
    del ec2_backends[account]["us-east-1"].amis[plan.image.image_id]
    with pytest.raises(NotFoundError, match=f"{plan.image.image_id}, .*no longer visible"):
        world.plan(members="[ana, ben]")
    kept = world.plan(members="[ana]")
    assert kept.image.image_id == plan.image.image_id
    assert any("no longer visible" in warning for warning in kept.warnings)
