"""Leases on a fleet: parameters `/fleet/NAME/lease/N` in SSM Parameter Store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.plan.tags import lease_path


@effect("ssm:GetParametersByPath")
def read_leases(aws: Aws, *, fleet: str) -> dict[int, str]:
    """Read the leases on a fleet by number; the highest holds."""
    path = lease_path(fleet)
    pages = aws.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
    found = (parameter for page in pages for parameter in page["Parameters"])
    named = ((p["Name"].removeprefix(f"{path}/"), p["Value"]) for p in found)
    return {int(number): text for number, text in named if number.isdecimal()}


@effect("ssm:PutParameter", "ssm:AddTagsToResource")
def create_lease(aws: Aws, *, fleet: str, number: int, text: str, tags: Mapping[str, str]) -> bool:
    """Make a lease; False where somebody was first, for PutParameter without Overwrite is atomic.

    Where it was ourselves, boto3 has sent it again after a lost answer.
    """
    try:
        aws.ssm.put_parameter(
            Name=f"{lease_path(fleet)}/{number}",
            Value=text,
            Type="String",
            Tier="Intelligent-Tiering",  # a request over very many pools is larger than 4 KiB
            Overwrite=False,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    except aws.ssm.exceptions.ParameterAlreadyExists:
        return read_leases(aws, fleet=fleet).get(number) == text
    return True


@effect("ssm:PutParameter")
def write_lease(aws: Aws, *, fleet: str, number: int, text: str) -> None:
    """Write a lease that one holds anew."""
    aws.ssm.put_parameter(
        Name=f"{lease_path(fleet)}/{number}",
        Value=text,
        Type="String",
        Tier="Intelligent-Tiering",
        Overwrite=True,
    )


@effect("ssm:DeleteParameters")
def delete_leases(aws: Aws, *, fleet: str, numbers: Iterable[int]) -> None:
    """Delete leases, the lowest first: one that was broken must never be the highest again."""
    for number in sorted(numbers):
        aws.ssm.delete_parameters(Names=[f"{lease_path(fleet)}/{number}"])
