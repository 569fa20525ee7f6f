"""The types of a spec's values: each is a rule, and the form by which an editor can see most of it."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator

from fleet.spec import rules, values
from fleet.spec.forms import Measure, Text

FleetName = Annotated[str, AfterValidator(rules.fleet_name), Text(pattern=rules.NAME_PATTERN)]
Region = Annotated[str, AfterValidator(rules.region), Text(pattern=rules.REGION_PATTERN)]

ImageId = Annotated[str, AfterValidator(rules.image_id), Text(pattern=rules.IMAGE_ID_PATTERN)]
ImageName = Annotated[str, AfterValidator(rules.image_name)]
Version = Annotated[str, AfterValidator(rules.version), Text(pattern=rules.VERSION_PATTERN)]

InstanceType = Annotated[
    str, AfterValidator(rules.instance_type), Text(pattern=rules.INSTANCE_TYPE_PATTERN)
]
InstanceProfile = Annotated[
    str, AfterValidator(rules.instance_profile), Text(pattern=rules.PROFILE_PATTERN)
]
Size = Annotated[int, BeforeValidator(values.parse_size), Measure(values.SIZE_PATTERN)]
KmsKey = Annotated[str, AfterValidator(rules.kms_key), Text(pattern=rules.KMS_KEY_PATTERN)]

Source = Annotated[str, AfterValidator(rules.source)]
VpcId = Annotated[str, AfterValidator(rules.vpc_id), Text(pattern=rules.VPC_PATTERN)]
SubnetId = Annotated[str, AfterValidator(rules.subnet_id), Text(pattern=rules.SUBNET_PATTERN)]
Bastion = Annotated[str, AfterValidator(rules.bastion), Text(pattern=rules.BASTION_PATTERN)]

Package = Annotated[str, AfterValidator(rules.package), Text(pattern=rules.PACKAGE_PATTERN)]
GitUrl = Annotated[str, AfterValidator(rules.git_url), Text(pattern=rules.GIT_PATTERN)]
LocalPath = Annotated[str, AfterValidator(rules.local_path)]
RemotePath = Annotated[str, AfterValidator(rules.remote_path), Text(pattern=rules.REMOTE_PATTERN)]

Toggle = Annotated[bool, BeforeValidator(values.parse_switch)]
