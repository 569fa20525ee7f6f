"""Images, instance types, offerings and Spot prices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.cloud.asking import X86_IMAGE, refused

if TYPE_CHECKING:
    from tests.sandbox.cloud.recording import Served


def names(served: Served, **parameters: Any) -> list[str]:
    """Names of the images that DescribeImages gives."""
    return [image["Name"] for image in served.ec2.describe_images(**parameters)["Images"]]


def by(name: str, *values: str) -> Any:
    return {"Name": name, "Values": list(values)}


def test_a_real_image_as_ec2_shows_it(served: Served) -> None:
    found = served.ec2.describe_images(Owners=["amazon"], Filters=[by("name", X86_IMAGE)])
    (image,) = found["Images"]
    assert (image["OwnerId"], image["ImageOwnerAlias"]) == ("898082745236", "amazon")
    assert image["CreationDate"].startswith("2026-07-25T")
    assert image["DeprecationTime"].startswith("2028-07-24T")
    assert (image["Architecture"], image["RootDeviceName"]) == ("x86_64", "/dev/sda1")
    assert image["Description"].startswith("Supported EC2 instances: G4dn, G5, ")
    (mapping,) = image["BlockDeviceMappings"]
    assert mapping["DeviceName"] == "/dev/sda1"
    assert mapping["Ebs"]["SnapshotId"].startswith("snap-")
    assert 30 <= mapping["Ebs"]["VolumeSize"] <= 140
    assert names(served, Owners=["898082745236"], Filters=[by("name", X86_IMAGE)]) == [X86_IMAGE]
    assert names(served, Owners=["123456789012"], Filters=[by("name", X86_IMAGE)]) == []


def test_amazon_linux_has_its_own_root_device(served: Served) -> None:
    found = served.ec2.describe_images(
        Owners=["amazon"], Filters=[by("name", "Deep Learning*(Amazon Linux 2023)*")]
    )["Images"]
    assert found
    assert {image["RootDeviceName"] for image in found} == {"/dev/xvda"}


def test_old_images_are_there_for_those_who_ask(served: Served) -> None:
    pattern = by("name", "Deep Learning AMI GPU TensorFlow 2.12.0*")
    assert names(served, Owners=["amazon"], Filters=[pattern]) == []
    old = names(served, Owners=["amazon"], Filters=[pattern], IncludeDeprecated=True)
    assert len(old) == 3
    known = "ami-01126ee2e34c5f04e"
    (image,) = served.ec2.describe_images(ImageIds=[known])["Images"]
    assert image["Name"].startswith("Deep Learning AMI GPU TensorFlow 2.12.0")
    refused("InvalidAMIID.NotFound", served.ec2.describe_images, ImageIds=["ami-" + "0" * 17])


def test_the_newest_tensorflow_image_is_visible(served: Served) -> None:
    found = names(served, Owners=["amazon"], Filters=[by("name", "*TensorFlow*")])
    assert [name.partition(" (")[0] for name in found] == [
        "Deep Learning OSS Nvidia Driver AMI GPU TensorFlow 2.18"
    ]


@pytest.mark.parametrize(
    ("filters", "some"),
    [
        ([by("architecture", "arm64"), by("name", "Deep Learning*")], True),
        ([by("state", "available"), by("creation-date", "2026*")], True),
        ([by("ena-support", "true"), by("platform-details", "Linux/UNIX")], True),
        ([by("name", "ubuntu/images/*/ubuntu-noble-24.04-amd64-server-*")], True),
        ([by("name", "al2023-ami-2023*-x86_64")], True),
        ([by("name", "No such image*")], False),
    ],
)
def test_filters(served: Served, filters: list[dict[str, Any]], some: bool) -> None:
    assert bool(names(served, Filters=filters)) is some


def test_pages_of_images(served: Served) -> None:
    everything = names(served, Owners=["amazon"])
    pages = served.ec2.get_paginator("describe_images").paginate(
        Owners=["amazon"], PaginationConfig={"PageSize": 20}
    )
    assert [i["Name"] for page in pages for i in page["Images"]] == everything
    assert len(everything) > 40


def test_images_have_other_ids_in_other_regions(served: Served) -> None:
    there = served.client("ec2", region="eu-central-1").describe_images(
        Owners=["amazon"], Filters=[by("name", X86_IMAGE)]
    )["Images"][0]
    here = served.ec2.describe_images(Filters=[by("name", X86_IMAGE)])["Images"][0]
    assert there["ImageId"] != here["ImageId"]


@pytest.mark.parametrize(
    ("name", "model", "count", "memory"),
    [
        ("p2.xlarge", "K80", 1, 12288),
        ("p3.2xlarge", "V100", 1, 16384),
        ("g3.8xlarge", "M60", 2, 8192),
        ("g7.2xlarge", "RTX PRO 4500", 1, 32768),
        ("g5.12xlarge", "A10G", 4, 22888),
        ("g6f.large", "L4", 0, 2861),
    ],
)
def test_gpu_types(served: Served, name: str, model: str, count: int, memory: int) -> None:
    (described,) = served.ec2.describe_instance_types(InstanceTypes=[name])["InstanceTypes"]  # type: ignore[list-item]
    (gpu,) = described["GpuInfo"]["Gpus"]
    assert (gpu["Name"], gpu["Count"], gpu["MemoryInfo"]["SizeInMiB"]) == (model, count, memory)
    assert described["VCpuInfo"]["DefaultVCpus"] >= 2
    assert described["MemoryInfo"]["SizeInMiB"] >= 8192
    assert described["ProcessorInfo"]["SupportedArchitectures"] == ["x86_64"]
    assert "NetworkInfo" in described
    assert "spot" in described["SupportedUsageClasses"]


def test_types_in_pages_and_by_filter(served: Served) -> None:
    pages = served.ec2.get_paginator("describe_instance_types").paginate()
    assert len({t["InstanceType"] for page in pages for t in page["InstanceTypes"]}) > 1300
    family = served.ec2.describe_instance_types(Filters=[by("instance-type", "p3.*")])
    assert {t["InstanceType"] for t in family["InstanceTypes"]} == {
        "p3.2xlarge",
        "p3.8xlarge",
        "p3.16xlarge",
    }
    unknown: Any = ["g99.xlarge"]
    refused("InvalidInstanceType", served.ec2.describe_instance_types, InstanceTypes=unknown)


def zones(served: Served, name: str, **parameters: Any) -> set[str]:
    found = served.ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=[by("instance-type", name)], **parameters
    )["InstanceTypeOfferings"]
    return {offering["Location"][-1] for offering in found}


def test_offerings_by_zone(served: Served) -> None:
    assert zones(served, "g5.xlarge") == set("abcdf")
    assert len(zones(served, "p3.2xlarge")) == 2
    assert zones(served, "g5.*") == set("abcdf")
    assert zones(served, "g99.xlarge") == set()
    here: Any = [by("instance-type", "g5*"), by("location", "us-east-1?")]
    found = served.ec2.describe_instance_type_offerings(
        LocationType="availability-zone", Filters=here
    )["InstanceTypeOfferings"]
    assert {o["InstanceType"].split(".")[0] for o in found} == {"g5", "g5g"}
    region = served.ec2.describe_instance_type_offerings(
        Filters=[by("instance-type", "g5.xlarge")]
    )["InstanceTypeOfferings"]
    assert [(o["Location"], o["LocationType"]) for o in region] == [("us-east-1", "region")]


def test_spot_prices_now(served: Served) -> None:
    now = datetime.now(UTC)
    found = served.ec2.describe_spot_price_history(
        InstanceTypes=["g5.xlarge", "g4dn.xlarge"],
        ProductDescriptions=["Linux/UNIX", "Linux/UNIX (Amazon VPC)"],
        StartTime=now,
    )["SpotPriceHistory"]
    assert len(found) == 10
    for price in found:
        base = 1.006 if price["InstanceType"] == "g5.xlarge" else 0.526
        assert 0.3 * base <= float(price["SpotPrice"]) <= 0.45 * base + 1e-6
        assert now - price["Timestamp"] <= timedelta(hours=1)
    in_zones = {p["SpotPrice"] for p in found if p["InstanceType"] == "g5.xlarge"}
    assert len(in_zones) == 5


def test_spot_prices_of_a_day_and_of_a_zone(served: Served) -> None:
    start = datetime.now(UTC) - timedelta(hours=5)
    only: Any = [by("availability-zone", "us-east-1a"), by("instance-type", "g5.xlarge")]
    found = served.ec2.describe_spot_price_history(StartTime=start, Filters=only)
    assert len(found["SpotPriceHistory"]) in {6, 7}
    windows = served.ec2.describe_spot_price_history(
        InstanceTypes=["g5.xlarge"], ProductDescriptions=["Windows"]
    )
    assert windows["SpotPriceHistory"] == []
