"""What is kept of a fleet and is no secret: parameters `/fleet/NAME/notes/…` in SSM Parameter Store."""

from __future__ import annotations

from collections.abc import Mapping

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.plan.tags import notes_path


@effect("ssm:GetParametersByPath")
def read_notes(aws: Aws, *, fleet: str) -> dict[str, str]:
    """Read the notes on a fleet by name; empty where there are none."""
    path = notes_path(fleet)
    pages = aws.ssm.get_paginator("get_parameters_by_path").paginate(Path=path)
    found = (parameter for page in pages for parameter in page["Parameters"])
    return {p["Name"].removeprefix(f"{path}/"): p["Value"] for p in found}


@effect("ssm:PutParameter", "ssm:AddTagsToResource")
def write_note(aws: Aws, *, fleet: str, name: str, text: str, tags: Mapping[str, str]) -> None:
    """Write a note; one that is there keeps its tags, for PutParameter takes none then."""
    path = f"{notes_path(fleet)}/{name}"
    try:
        aws.ssm.put_parameter(
            Name=path,
            Value=text,
            Type="String",
            Overwrite=False,
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )
    except aws.ssm.exceptions.ParameterAlreadyExists:
        aws.ssm.put_parameter(Name=path, Value=text, Type="String", Overwrite=True)
