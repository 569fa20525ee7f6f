"""EC2's filters on instances: names to attributes, values with wildcards, several values mean any
of them.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from typing import Any

from fleet.sandbox.cloud.ec2.faults import Ec2Error

_ATTRIBUTES: dict[str, Callable[[Any], object]] = {
    "instance-id": lambda i: i.id,
    "instance-state-name": lambda i: i.state,
    "instance-state-code": lambda i: i.state_code,
    "instance-type": lambda i: i.instance_type,
    "instance-lifecycle": lambda i: i.lifecycle or "",
    "image-id": lambda i: i.image_id,
    "key-name": lambda i: i.key_name,
    "availability-zone": lambda i: i.availability_zone,
    "subnet-id": lambda i: i.subnet_id,
    "vpc-id": lambda i: i.vpc_id,
    "owner-id": lambda i: i.owner_id,
    "architecture": lambda i: i.architecture,
    "client-token": lambda i: i.client_token,
    "spot-instance-request-id": lambda i: i.spot_instance_request_id,
    "ip-address": lambda i: i.public_ip,
    "private-ip-address": lambda i: i.private_ip,
    "dns-name": lambda i: i.public_dns_name,
    "private-dns-name": lambda i: i.private_dns_name,
    "root-device-name": lambda i: i.root_device_name,
    "root-device-type": lambda i: i.root_device_type,
    "tenancy": lambda i: i.placement.tenancy,
    "state-reason-code": lambda i: i.state_reason.code,
    "source-dest-check": lambda i: str(i.source_dest_check).lower(),
    "metadata-options.http-tokens": lambda i: i.metadata_options.http_tokens,
    "group-id": lambda i: [group.id for group in i.security_groups],
    "instance.group-id": lambda i: [group.id for group in i.security_groups],
    "instance.group-name": lambda i: [group.name for group in i.security_groups],
    "group-name": lambda i: [group.name for group in i.security_groups],
    "network-interface.group-id": lambda i: [
        g.id for nic in i.nics.values() for g in nic.group_set
    ],
    "network-interface.network-interface-id": lambda i: [nic.id for nic in i.nics.values()],
    "network-interface.subnet-id": lambda i: [nic.subnet.id for nic in i.nics.values()],
    "block-device-mapping.volume-id": lambda i: [
        device.volume_id for device in i.block_device_mapping.values()
    ],
}


def matches(instance: Any, filters: dict[str, list[str]]) -> bool:
    """Whether the instance passes every filter; a filter that EC2 does not know is an error."""
    return all(_passes(instance, name, values) for name, values in filters.items())


def _passes(instance: Any, name: str, wanted: list[str]) -> bool:
    return any(
        glob_match(value, pattern) for value in _values(instance, name) for pattern in wanted
    )


def _values(instance: Any, name: str) -> Iterable[str]:
    tags: dict[str, str] = instance.ec2_backend.tags.get(instance.id, {})
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return [tags[key]] if key in tags else []
    if name == "tag-key":
        return list(tags)
    if name not in _ATTRIBUTES:
        raise Ec2Error("InvalidParameterValue", f"The filter '{name}' is invalid")
    value = _ATTRIBUTES[name](instance)
    return (
        [str(each) for each in value]
        if isinstance(value, list)
        else [str(value if value is not None else "")]
    )


def glob_match(value: str, pattern: str) -> bool:
    """EC2's wildcards: `*` and `?`, nothing else; the case counts."""
    return fnmatch.fnmatchcase(value, pattern.replace("[", "[[]"))
