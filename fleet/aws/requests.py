"""Small pieces that every service file needs: tags and filters in EC2's shape, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from fleet.plan import tags

if TYPE_CHECKING:
    from mypy_boto3_ec2.literals import ResourceTypeType
    from mypy_boto3_ec2.type_defs import FilterTypeDef, TagSpecificationTypeDef, TagTypeDef


def tag_list(values: Mapping[str, str]) -> list[TagTypeDef]:
    """Write tags as EC2 takes them."""
    return [{"Key": key, "Value": value} for key, value in values.items()]


def tag_specification(
    resource_type: ResourceTypeType, values: Mapping[str, str]
) -> TagSpecificationTypeDef:
    """Write the tags that a creating call puts on what it makes."""
    return {"ResourceType": resource_type, "Tags": tag_list(values)}


def read_tags(answer: Iterable[Any] | None) -> dict[str, str]:
    """Read the tags of an answer."""
    return {tag["Key"]: tag["Value"] for tag in answer or ()}


def of_fleet(fleet: str) -> list[FilterTypeDef]:
    """Filter for what carries the fleet's tag."""
    return [{"Name": f"tag:{tags.FLEET}", "Values": [fleet]}]
