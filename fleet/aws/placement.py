"""Spot placement scores: where a Spot request is likely to find room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.aws.clients import Aws
from fleet.aws.effects import effect


@effect("ec2:GetSpotPlacementScores")
def describe_spot_placement(aws: Aws, *, types: Sequence[str], count: int) -> Mapping[str, int]:
    """Give the score, 1 to 10, of each Availability Zone by its id, for `count` instances of any of the types.

    EC2 shows the ten best zones. Raises AwsError where the account may not ask, or has asked for too many
    different configurations within a day (MaxConfigLimitExceeded).
    """
    answer = aws.ec2.get_spot_placement_scores(
        InstanceTypes=list(types),
        TargetCapacity=count,
        SingleAvailabilityZone=True,
        RegionNames=[aws.region],
    )
    return {
        score["AvailabilityZoneId"]: score["Score"]
        for score in answer["SpotPlacementScores"]
        if "AvailabilityZoneId" in score and "Score" in score
    }
