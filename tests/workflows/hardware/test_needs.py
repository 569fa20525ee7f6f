"""Types by need, planned over a served cloud."""

from __future__ import annotations

import pytest

from fleet.errors import NotFoundError
from tests.workflows.conftest import World

pytestmark = pytest.mark.slow


def test_the_cheapest_types_that_the_image_drives(world: World) -> None:
    plan = world.plan(instances="{gpus: 1, gpu_memory: 16GiB}")
    types = plan.spec.instances.types
    assert types[:3] == ("g4dn.xlarge", "g4dn.2xlarge", "g6.xlarge")
    assert {pool.instance_type for pool in plan.pools} == set(types)
    assert not {"p3.2xlarge", "g5g.xlarge", "g4ad.xlarge", "g6f.large"} & set(types)


def test_a_named_image_for_arm64_gets_types_for_arm64(world: World) -> None:
    found = world.served.ec2.describe_images(
        Owners=["amazon"],
        Filters=[
            {"Name": "architecture", "Values": ["arm64"]},
            {"Name": "name", "Values": ["Deep Learning ARM64 AMI OSS Nvidia Driver GPU PyTorch*"]},
        ],
    )["Images"]
    newest = max(found, key=lambda image: image["CreationDate"])["ImageId"]
    plan = world.plan(instances="{gpus: 1}", image=f"{{id: {newest}}}")
    assert {name.partition(".")[0] for name in plan.spec.instances.types} == {"g5g"}


def test_more_than_there_is(world: World) -> None:
    with pytest.raises(NotFoundError, match="9 GPUs of 16 GiB"):
        world.plan(instances="{gpus: 9, gpu_memory: 16GiB}")
