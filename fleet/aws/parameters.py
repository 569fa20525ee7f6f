"""The fleet's secrets as SecureStrings in SSM Parameter Store, below /fleet/NAME."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.plan.tags import parameter_path

_MOST_PER_DELETE = 10


@effect("ssm:GetParametersByPath", "kms:Decrypt")
def read_secrets(aws: Aws, *, fleet: str) -> dict[str, str]:
    """Read the fleet's secrets, decrypted, by their last name part; empty where there are none."""
    path = parameter_path(fleet)
    pages = aws.ssm.get_paginator("get_parameters_by_path").paginate(Path=path, WithDecryption=True)
    return {
        parameter["Name"].removeprefix(f"{path}/"): parameter["Value"]
        for page in pages
        for parameter in page["Parameters"]
    }


@effect("ssm:GetParameters")
def read_public_parameters(aws: Aws, *, names: Sequence[str]) -> dict[str, str]:
    """Read parameters that AWS publishes, by name, at most ten; one that is not there is left out."""
    answer = aws.ssm.get_parameters(Names=list(names))
    return {parameter["Name"]: parameter["Value"] for parameter in answer["Parameters"]}


@effect("ssm:PutParameter", "ssm:AddTagsToResource", "kms:Encrypt")
def create_secret(aws: Aws, *, fleet: str, name: str, value: str, tags: Mapping[str, str]) -> bool:
    """Store a secret if there is none of that name; False where somebody was first.

    PutParameter without Overwrite is atomic, so two callers end with one secret.
    """
    try:
        aws.ssm.put_parameter(
            Name=f"{parameter_path(fleet)}/{name}",
            Value=value,
            Type="SecureString",
            Overwrite=False,
            Tags=[{"Key": key, "Value": text} for key, text in tags.items()],
        )
    except aws.ssm.exceptions.ParameterAlreadyExists:
        return False
    return True


@effect("ssm:PutParameter", "kms:Encrypt")
def replace_secret(aws: Aws, *, fleet: str, name: str, value: str) -> None:
    """Store another value of a secret that is there; its tags stay."""
    aws.ssm.put_parameter(
        Name=f"{parameter_path(fleet)}/{name}", Value=value, Type="SecureString", Overwrite=True
    )


@effect("ssm:DeleteParameters")
def delete_parameters(aws: Aws, *, names: Sequence[str]) -> None:
    """Delete parameters by full name; one that is gone already is fine."""
    for start in range(0, len(names), _MOST_PER_DELETE):
        aws.ssm.delete_parameters(Names=list(names[start : start + _MOST_PER_DELETE]))
