"""The regions of the account."""

from __future__ import annotations

from fleet.aws.clients import Aws
from fleet.aws.effects import effect


@effect("ec2:DescribeRegions")
def describe_regions(aws: Aws) -> tuple[str, ...]:
    """Give the names of the regions that are enabled for the account."""
    answer = aws.ec2.describe_regions(AllRegions=False)
    return tuple(sorted(region["RegionName"] for region in answer["Regions"]))
