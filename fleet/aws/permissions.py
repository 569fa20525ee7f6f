"""Tries permissions without using them: EC2 answers DryRunOperation where a call would have been allowed.

Nothing is made. Each function returns where the call is allowed, and raises NotAuthorizedError where it is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import tag_list, tag_specification
from fleet.errors import AwsError
from fleet.plan import tags

_NAME = "fleet-doctor"
_TAGS = tags.fleet_tags("doctor")


@effect("ec2:CreateSecurityGroup", "ec2:CreateTags")
def try_create_security_group(aws: Aws, *, vpc_id: str) -> None:
    """Try to make a tagged security group."""
    _try(
        aws.ec2.create_security_group,
        GroupName=_NAME,
        Description=_NAME,
        VpcId=vpc_id,
        TagSpecifications=[tag_specification("security-group", _TAGS)],
    )


@effect("ec2:ImportKeyPair", "ec2:CreateTags")
def try_import_key_pair(aws: Aws, *, public_key: str) -> None:
    """Try to import a tagged key pair."""
    _try(
        aws.ec2.import_key_pair,
        KeyName=_NAME,
        PublicKeyMaterial=public_key.encode(),
        TagSpecifications=[tag_specification("key-pair", _TAGS)],
    )


@effect("ec2:CreateLaunchTemplate", "ec2:CreateTags")
def try_create_launch_template(aws: Aws, *, image_id: str) -> None:
    """Try to make a tagged launch template."""
    _try(
        aws.ec2.create_launch_template,
        LaunchTemplateName=_NAME,
        LaunchTemplateData={"ImageId": image_id},
        TagSpecifications=[tag_specification("launch-template", _TAGS)],
    )


@effect("ec2:RunInstances", "ec2:CreateTags")
def try_run_instances(aws: Aws, *, image_id: str, instance_type: str, subnet_id: str) -> None:
    """Try to launch one tagged instance."""
    kinds = ("instance", "volume", "network-interface")
    _try(
        aws.launcher.run_instances,
        ImageId=image_id,
        InstanceType=instance_type,
        SubnetId=subnet_id,
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": kind, "Tags": tag_list(_TAGS)} for kind in kinds],
    )


@effect("ec2:CreateFleet", "ec2:CreateTags")
def try_create_fleet(aws: Aws, *, template_name: str, instance_type: str) -> None:
    """Try to launch a tagged fleet of one from a launch template that is there."""
    specification: Mapping[str, str] = {"LaunchTemplateName": template_name, "Version": "$Latest"}
    _try(
        aws.launcher.create_fleet,
        Type="instant",
        LaunchTemplateConfigs=[
            {
                "LaunchTemplateSpecification": specification,
                "Overrides": [{"InstanceType": instance_type}],
            }
        ],
        TargetCapacitySpecification={
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": "on-demand",
        },
        TagSpecifications=[tag_specification("fleet", _TAGS)],
    )


def _try(call: Callable[..., Any], **request: Any) -> None:
    try:
        call(DryRun=True, **request)
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") == "DryRunOperation":
            return
        raise
    raise AwsError(
        f"the endpoint does not know DryRun: it may have made {_NAME}",
        remedy="use an endpoint of EC2's, and look for what carries that name",
    )
