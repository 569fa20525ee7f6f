"""What a launch asks for: request parameters over a launch template, read into one frozen
`LaunchSpec`.

Both use EC2's names (a template's data has the parameters of RunInstances), so they are merged
first and read once.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fleet.sandbox.cloud.ec2.faults import Ec2Error

if TYPE_CHECKING:
    from fleet.sandbox.cloud.capacity import Market

Data = dict[str, Any]

_TAKEN_WHOLE = (
    "ImageId", "InstanceType", "KeyName", "SecurityGroupIds", "SecurityGroups", "UserData", "SubnetId", "Placement",
    "MetadataOptions", "InstanceInitiatedShutdownBehavior", "IamInstanceProfile", "Monitoring", "NetworkInterfaces",
    "InstanceMarketOptions", "DisableApiTermination", "DisableApiStop", "EbsOptimized",
)  # fmt: skip


@dataclass(frozen=True)
class TemplateUse:
    """The template version that a launch comes from."""

    template_id: str
    name: str
    version: int


@dataclass(frozen=True)
class LaunchSpec:
    """One launch, resolved but not yet checked. `devices` are raw BlockDeviceMappings by device
    name.
    """

    image_id: str
    instance_type: str
    key_name: str | None
    security_group_ids: tuple[str, ...]
    security_group_names: tuple[str, ...]
    subnet_id: str | None
    availability_zone: str | None
    associate_public_ip: bool | None
    delete_interface: bool
    user_data: str | None
    devices: Mapping[str, Data]
    metadata_options: Data
    shutdown_behavior: str
    tags: Mapping[str, Mapping[str, str]]
    market: Market
    max_price: float | None
    disable_api_termination: bool
    disable_api_stop: bool
    ebs_optimized: bool
    monitoring: bool
    instance_profile: Data
    client_token: str = ""
    template: TemplateUse | None = None
    fleet_id: str | None = None
    extra_tags: Mapping[str, str] = field(default_factory=dict)


def merge(template: Data, request: Data) -> Data:
    """Template data with the request's parameters over it: lists of devices and of tags by key, all
    else whole.
    """
    merged = {name: template[name] for name in _TAKEN_WHOLE if template.get(name) is not None}
    merged.update(
        {name: request[name] for name in _TAKEN_WHOLE if request.get(name) not in (None, [], {})}
    )
    if request.get("MetadataOptions"):
        merged["MetadataOptions"] = {
            **template.get("MetadataOptions", {}),
            **request["MetadataOptions"],
        }
    merged["BlockDeviceMappings"] = _merge_devices(
        template.get("BlockDeviceMappings") or [], request.get("BlockDeviceMappings") or []
    )
    merged["TagSpecifications"] = _merge_tags(
        template.get("TagSpecifications") or [], request.get("TagSpecifications") or []
    )
    return merged


def _merge_devices(under: list[Data], over: list[Data]) -> list[Data]:
    devices: dict[str, Data] = {}
    for mapping in [*under, *over]:
        name = mapping.get("DeviceName", "")
        ebs = {**devices.get(name, {}).get("Ebs", {}), **(mapping.get("Ebs") or {})}
        devices[name] = {**devices.get(name, {}), **mapping, "Ebs": ebs}
    return list(devices.values())


def tags_by_resource(specifications: list[Data]) -> dict[str, dict[str, str]]:
    """Tags by resource type, out of TagSpecifications."""
    tags: dict[str, dict[str, str]] = {}
    for specification in specifications:
        of_type = tags.setdefault(specification.get("ResourceType", ""), {})
        of_type.update(
            {tag["Key"]: tag.get("Value", "") for tag in specification.get("Tags") or []}
        )
    return tags


def _merge_tags(under: list[Data], over: list[Data]) -> list[Data]:
    return [
        {
            "ResourceType": kind,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }
        for kind, tags in tags_by_resource([*under, *over]).items()
    ]


def read_spec(
    data: Data, *, template: TemplateUse | None = None, client_token: str = ""
) -> LaunchSpec:
    """The launch that merged parameters describe. Raises EC2's error where a parameter makes no
    sense.
    """
    if not data.get("ImageId"):
        raise Ec2Error("MissingParameter", "The request must contain the parameter ImageId")
    interface = _primary_interface(data)
    market_options = data.get("InstanceMarketOptions") or {}
    placement = data.get("Placement") or {}
    tags = tags_by_resource(data.get("TagSpecifications") or [])
    refuse_reserved_tags(key for of_type in tags.values() for key in of_type)
    return LaunchSpec(
        image_id=data["ImageId"],
        instance_type=data.get("InstanceType") or "m1.small",
        key_name=data.get("KeyName"),
        security_group_ids=tuple(interface.get("Groups") or data.get("SecurityGroupIds") or ()),
        security_group_names=tuple(data.get("SecurityGroups") or ()),
        subnet_id=interface.get("SubnetId") or data.get("SubnetId"),
        availability_zone=placement.get("AvailabilityZone"),
        associate_public_ip=interface.get("AssociatePublicIpAddress"),
        delete_interface=interface.get("DeleteOnTermination") is not False,
        user_data=None if data.get("UserData") is None else str(data["UserData"]),
        devices={device["DeviceName"]: device for device in data.get("BlockDeviceMappings") or []},
        metadata_options=data.get("MetadataOptions") or {},
        shutdown_behavior=data.get("InstanceInitiatedShutdownBehavior") or "stop",
        tags=tags,
        market="spot" if market_options.get("MarketType") == "spot" else "on-demand",
        max_price=read_price((market_options.get("SpotOptions") or {}).get("MaxPrice")),
        disable_api_termination=bool(data.get("DisableApiTermination")),
        disable_api_stop=bool(data.get("DisableApiStop")),
        ebs_optimized=bool(data.get("EbsOptimized")),
        monitoring=bool((data.get("Monitoring") or {}).get("Enabled")),
        instance_profile=data.get("IamInstanceProfile") or {},
        client_token=client_token,
        template=template,
    )


def refuse_reserved_tags(keys: Any) -> None:
    """Keys that begin with `aws:` belong to AWS."""
    if any(str(key).lower().startswith("aws:") for key in keys):
        raise Ec2Error(
            "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"
        )


def _primary_interface(data: Data) -> Data:
    interfaces = data.get("NetworkInterfaces") or []
    if not interfaces:
        return {}
    if data.get("SubnetId"):
        raise Ec2Error(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level subnet ID may not be specified on the same "
            "request",
        )
    if data.get("SecurityGroupIds") or data.get("SecurityGroups"):
        raise Ec2Error(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level security groups may not be specified on "
            "the same request",
        )
    primary: Data = next(
        (nic for nic in interfaces if int(nic.get("DeviceIndex") or 0) == 0), interfaces[0]
    )
    return primary


def read_price(text: object) -> float | None:
    """A price cap in USD per hour; EC2 takes it as text."""
    if text in (None, ""):
        return None
    try:
        return float(str(text))
    except ValueError:
        raise Ec2Error("InvalidParameterValue", f"Invalid value '{text}' for maxPrice.") from None
