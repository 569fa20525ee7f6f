"""The fleet's launch template: IMDSv2 required, encrypted root volume, tags on all that a launch makes."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import TYPE_CHECKING

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.aws.requests import of_fleet, read_tags, tag_list, tag_specification
from fleet.plan import tags as tag_names
from fleet.plan.facts.launch import LaunchTemplateFact
from fleet.plan.record.tokens import client_token

if TYPE_CHECKING:  # these bring pydantic and jinja2, which `fleet ls` can do without
    from mypy_boto3_ec2.literals import ResourceTypeType
    from mypy_boto3_ec2.type_defs import (
        LaunchTemplateBlockDeviceMappingRequestTypeDef,
        LaunchTemplateEbsBlockDeviceRequestTypeDef,
        RequestLaunchTemplateDataTypeDef,
    )

    from fleet.plan.launch.template import LaunchTemplate
    from fleet.spec.model import Volume


@effect("ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions")
def describe_launch_templates(aws: Aws, *, fleet: str) -> tuple[LaunchTemplateFact, ...]:
    """Describe the fleet's launch template with the digest of its latest version."""
    pages = aws.ec2.get_paginator("describe_launch_templates").paginate(Filters=of_fleet(fleet))
    return tuple(
        LaunchTemplateFact(
            template_id=template["LaunchTemplateId"],
            name=template["LaunchTemplateName"],
            version=template["LatestVersionNumber"],
            digest=_digest(aws, template["LaunchTemplateId"], template["LatestVersionNumber"]),
            expires_at=read_tags(template.get("Tags")).get(tag_names.EXPIRES_AT, ""),
        )
        for page in pages
        for template in page["LaunchTemplates"]
    )


def _digest(aws: Aws, template_id: str, version: int) -> str:
    answer = aws.ec2.describe_launch_template_versions(
        LaunchTemplateId=template_id, Versions=[str(version)]
    )
    versions = answer["LaunchTemplateVersions"]
    return versions[0].get("VersionDescription", "") if versions else ""


@effect("ec2:DescribeLaunchTemplates")
def describe_all_launch_templates(aws: Aws) -> tuple[str, ...]:
    """Give the names of all fleets of the region that have a launch template."""
    pages = aws.ec2.get_paginator("describe_launch_templates").paginate(
        Filters=[{"Name": "tag-key", "Values": [tag_names.FLEET]}]
    )
    found = (read_tags(t.get("Tags")) for page in pages for t in page["LaunchTemplates"])
    return tuple(sorted({entry[tag_names.FLEET] for entry in found}))


@effect("ec2:CreateLaunchTemplate", "ec2:CreateTags")
def create_launch_template(
    aws: Aws,
    template: LaunchTemplate,
    *,
    security_group_id: str,
    digest: str,
    tags: Mapping[str, str],
) -> LaunchTemplateFact:
    """Make the launch template, tagged in this call."""
    answer = aws.ec2.create_launch_template(
        LaunchTemplateName=template.name,
        VersionDescription=digest,
        LaunchTemplateData=_data(template, security_group_id),
        TagSpecifications=[tag_specification("launch-template", tags)],
        ClientToken=client_token("template", template.name, digest, security_group_id, dict(tags)),
    )
    made = answer["LaunchTemplate"]
    return LaunchTemplateFact(
        template_id=made["LaunchTemplateId"],
        name=template.name,
        version=made["LatestVersionNumber"],
        digest=digest,
        expires_at=tags[tag_names.EXPIRES_AT],
    )


@effect("ec2:CreateLaunchTemplateVersion", "ec2:CreateTags")
def create_launch_template_version(
    aws: Aws,
    known: LaunchTemplateFact,
    template: LaunchTemplate,
    *,
    security_group_id: str,
    digest: str,
    tags: Mapping[str, str],
) -> LaunchTemplateFact:
    """Add a version to the launch template: templates cannot be changed. Its tags follow."""
    answer = aws.ec2.create_launch_template_version(
        LaunchTemplateId=known.template_id,
        VersionDescription=digest,
        LaunchTemplateData=_data(template, security_group_id),
        ClientToken=client_token("version", known.template_id, known.version, digest),
    )
    aws.ec2.create_tags(Resources=[known.template_id], Tags=tag_list(tags))
    return LaunchTemplateFact(
        template_id=known.template_id,
        name=known.name,
        version=answer["LaunchTemplateVersion"]["VersionNumber"],
        digest=digest,
        expires_at=tags[tag_names.EXPIRES_AT],
    )


@effect("ec2:CreateTags")
def tag_launch_template(aws: Aws, *, template_id: str, tags: Mapping[str, str]) -> None:
    """Put tags on the launch template itself."""
    aws.ec2.create_tags(Resources=[template_id], Tags=tag_list(tags))


@effect("ec2:DeleteLaunchTemplate")
def delete_launch_template(aws: Aws, *, template_id: str) -> None:
    """Delete a launch template; one that is gone already is fine."""
    try:
        aws.ec2.delete_launch_template(LaunchTemplateId=template_id)
    except aws.ec2.exceptions.ClientError as error:
        if not str(error.response.get("Error", {}).get("Code", "")).endswith("NotFound"):
            raise


def _data(template: LaunchTemplate, security_group_id: str) -> RequestLaunchTemplateDataTypeDef:
    tags = dict(template.instance_tags)
    kinds: tuple[ResourceTypeType, ...] = ("instance", "volume", "network-interface")
    data: RequestLaunchTemplateDataTypeDef = {
        "ImageId": template.image_id,
        "KeyName": template.key_name,
        # Of a template with an interface EC2 takes the subnet from the launch, and the group from here alone.
        "NetworkInterfaces": [
            {
                "DeviceIndex": 0,
                "AssociatePublicIpAddress": template.public,
                "DeleteOnTermination": True,
                "Groups": [security_group_id],
            }
        ],
        "UserData": base64.b64encode(template.user_data.encode()).decode(),
        "BlockDeviceMappings": [_root_volume(template.root_device, template.volume)],
        # Two hops, so that containers on the instance reach IMDSv2 too.
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "InstanceInitiatedShutdownBehavior": "terminate"
        if template.terminate_on_shutdown
        else "stop",
        "TagSpecifications": [{"ResourceType": kind, "Tags": tag_list(tags)} for kind in kinds],
    }
    if template.profile is not None:
        by = "Arn" if template.profile.startswith("arn:") else "Name"
        data["IamInstanceProfile"] = {by: template.profile}  # type: ignore[misc]  # one of its two keys
    return data


def _root_volume(device: str, volume: Volume) -> LaunchTemplateBlockDeviceMappingRequestTypeDef:
    ebs: LaunchTemplateEbsBlockDeviceRequestTypeDef = {
        "VolumeSize": volume.size_gib,
        "VolumeType": volume.type,
        "Encrypted": True,
        "DeleteOnTermination": True,
    }
    if volume.iops is not None:
        ebs["Iops"] = volume.iops
    if volume.throughput is not None:
        ebs["Throughput"] = volume.throughput
    if volume.kms_key is not None:
        ebs["KmsKeyId"] = volume.kms_key
    return {"DeviceName": device, "Ebs": ebs}
