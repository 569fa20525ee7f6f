"""What is in an image of ours: parameters `/fleet-images/AMI/manifest/N` in SSM Parameter Store, no secrets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.parameters import delete_parameters
from fleet.plan.tags import manifest_path


@effect("ssm:GetParametersByPath", "ssm:PutParameter", "ssm:AddTagsToResource")
def write_manifest(
    aws: Aws, *, image_id: str, parts: Sequence[str], tags: Mapping[str, str]
) -> None:
    """Keep the parts of an image's manifest, of at most 4,096 characters each; what was kept before is replaced.

    A part that is there already is not written again, so that a repetition costs one call.
    """
    path = manifest_path(image_id)
    wanted = {f"{path}/{number}": part for number, part in enumerate(parts)}
    there = _parts(aws, path)
    for name, part in wanted.items():
        if name not in there:
            aws.ssm.put_parameter(
                Name=name,
                Value=part,
                Type="String",
                Overwrite=False,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
            )
        elif there[name] != part:
            aws.ssm.put_parameter(Name=name, Value=part, Type="String", Overwrite=True)
    delete_parameters(aws, names=sorted(there.keys() - wanted.keys()))


@effect("ssm:GetParametersByPath")
def read_manifest(aws: Aws, *, image_id: str) -> tuple[str, ...]:
    """Read the parts of an image's manifest in their order; none where nobody kept one."""
    there = _parts(aws, manifest_path(image_id))
    return tuple(there[name] for name in sorted(there, key=_number))


@effect("ssm:GetParametersByPath", "ssm:DeleteParameters")
def delete_manifest(aws: Aws, *, image_id: str) -> None:
    """Delete an image's manifest; one that is gone already is fine."""
    delete_parameters(aws, names=sorted(_parts(aws, manifest_path(image_id))))


def _parts(aws: Aws, path: str) -> dict[str, str]:
    pages = aws.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
    return {one["Name"]: one["Value"] for page in pages for one in page["Parameters"]}


def _number(name: str) -> int:
    return int(name.rpartition("/")[2])
