"""The AWS CLI commands that a receipt prints: each names an operation and parameters that AWS has."""

from __future__ import annotations

import botocore.session
import pytest
from botocore import xform_name

from fleet.plan.teardown.leftovers import removal_command
from fleet.plan.teardown.resources import KINDS, Kind, Resource


@pytest.mark.parametrize("kind", KINDS)
def test_the_command_is_one_of_awss(kind: Kind) -> None:
    text = removal_command(Resource(kind, "id-1"), region="us-east-1", protected=True)
    for command in text.split(" && "):
        program, service, region, name, operation, *options = command.split()
        assert (program, region, name) == ("aws", "--region", "us-east-1")
        model = botocore.session.get_session().get_service_model(service)
        known = {xform_name(one, "-"): one for one in model.operation_names}
        shape = model.operation_model(known[operation]).input_shape
        assert shape is not None
        flags = {f"--{xform_name(member, '-')}" for member in shape.members}
        assert {o.replace("--no-", "--") for o in options if o.startswith("--")} <= flags
