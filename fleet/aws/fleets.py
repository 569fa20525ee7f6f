"""Launches instances: one CreateFleet request of type `instant` over instance types x Availability Zones.

`instant` answers at once, and with part of what was asked: what it could not launch comes back as refusals.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect, named_denial
from fleet.aws.requests import tag_specification
from fleet.aws.translate import denied_action, one_line
from fleet.plan.launch.purchase import Refusal
from fleet.plan.launch.request import LaunchAnswer, LaunchPool, LaunchRequest
from fleet.plan.reactions import DENIED

if TYPE_CHECKING:
    from mypy_boto3_ec2.type_defs import (
        CreateFleetErrorTypeDef,
        CreateFleetResultTypeDef,
        FleetLaunchTemplateConfigRequestTypeDef,
        FleetLaunchTemplateOverridesRequestTypeDef,
        LaunchTemplateAndOverridesResponseTypeDef,
    )


# The Spot role is made once per account; a role is passed where the spec names an instance profile; the keys are for
# volumes with a `kms_key` of the customer's.
@effect(
    "ec2:CreateFleet",
    "ec2:RunInstances",
    "ec2:CreateTags",
    "iam:CreateServiceLinkedRole",
    "iam:PassRole",
    "kms:CreateGrant",
    "kms:Decrypt",
    "kms:DescribeKey",
    "kms:GenerateDataKeyWithoutPlaintext",
    "kms:ReEncryptFrom",
    "kms:ReEncryptTo",
)
def create_instant_fleet(aws: Aws, request: LaunchRequest) -> LaunchAnswer:
    """Launch. A shortfall is no error here: it comes back as refusals."""
    answer = aws.launcher.create_fleet(
        Type="instant",
        ClientToken=request.client_token,
        LaunchTemplateConfigs=[_launch_template_config(request)],
        TargetCapacitySpecification={
            "TotalTargetCapacity": request.count,
            "DefaultTargetCapacityType": request.market,
        },
        # Each strategy rules its own market; the other has no part in the request.
        SpotOptions={"AllocationStrategy": "price-capacity-optimized"},
        OnDemandOptions={"AllocationStrategy": "prioritized"},
        TagSpecifications=[tag_specification("fleet", request.tags)],
    )
    return _read(aws, answer)


def _launch_template_config(request: LaunchRequest) -> FleetLaunchTemplateConfigRequestTypeDef:
    return {
        "LaunchTemplateSpecification": {
            "LaunchTemplateId": request.template_id,
            "Version": str(request.template_version),
        },
        "Overrides": [_override(pool, request) for pool in request.pools],
    }


def _override(
    pool: LaunchPool, request: LaunchRequest
) -> FleetLaunchTemplateOverridesRequestTypeDef:
    override: FleetLaunchTemplateOverridesRequestTypeDef = {
        "InstanceType": pool.instance_type,  # type: ignore[typeddict-item]  # an open string, see facts
        "SubnetId": pool.subnet_id,
    }
    if request.market == "on-demand":
        override["Priority"] = float(pool.priority)
    elif request.max_price is not None:
        override["MaxPrice"] = str(request.max_price)
    return override


def _read(aws: Aws, answer: CreateFleetResultTypeDef) -> LaunchAnswer:
    launched = [i for entry in answer.get("Instances", []) for i in entry.get("InstanceIds", [])]
    refusals = tuple(
        Refusal(
            code=error.get("ErrorCode", ""),
            message=_said(aws, error),
            instance_type=_overrides(error).get("InstanceType", ""),
            availability_zone=_overrides(error).get("AvailabilityZone", ""),
        )
        for error in answer.get("Errors", [])
    )
    return LaunchAnswer(tuple(launched), refusals)


def _said(aws: Aws, error: CreateFleetErrorTypeDef) -> str:
    """Give EC2's words of one refusal; those of a denial name the missing action, if anybody tells it."""
    code, words = error.get("ErrorCode", ""), error.get("ErrorMessage", "")
    said = one_line(named_denial(aws, code, words))
    lacks = denied_action(said) if code in DENIED else ""
    return f"this identity lacks {lacks}" if lacks else said


def _overrides(error: Mapping[str, object]) -> dict[str, str]:
    both: LaunchTemplateAndOverridesResponseTypeDef = error.get("LaunchTemplateAndOverrides", {})  # type: ignore[assignment]
    return dict(both.get("Overrides", {}))  # type: ignore[arg-type]
