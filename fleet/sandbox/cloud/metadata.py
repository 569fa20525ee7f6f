"""What an instance may know of itself, as its metadata service tells it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fleet.sandbox.cloud.ec2.instance import SandboxInstance
    from fleet.sandbox.cloud.notices import RebalanceNotice, SpotNotice


@dataclass(frozen=True)
class InstanceMetadata:
    """`texts` by category ("placement/region"), `identity` the instance identity document.

    `tokens_required`: IMDSv1 is refused. `notice` is the spot/instance-action document, `rebalance` the
    events/recommendations/rebalance document, each empty where there is none.
    """

    instance_id: str
    texts: Mapping[str, str]
    identity: Mapping[str, object]
    key_name: str
    public_key: str
    user_data: bytes
    notice: Mapping[str, str]
    tokens_required: bool
    enabled: bool
    rebalance: Mapping[str, str] = field(default_factory=dict)


def describe(
    instance: SandboxInstance,
    *,
    account_id: str,
    region: str,
    notice: SpotNotice | None,
    rebalance: RebalanceNotice | None,
) -> InstanceMetadata:
    """The metadata of an instance. The cloud's lock is held."""
    zone, options = instance.availability_zone, instance.metadata_options
    keys = instance.host.authorized_keys if instance.host else ()
    texts = {
        "ami-id": instance.image_id,
        "ami-launch-index": str(instance.ami_launch_index),
        "hostname": instance.private_dns_name,
        "instance-id": instance.id,
        "instance-life-cycle": "spot" if instance.lifecycle == "spot" else "on-demand",
        "instance-type": instance.instance_type,
        "local-hostname": instance.private_dns_name,
        "local-ipv4": instance.address,
        "placement/availability-zone": zone,
        "placement/region": region,
        "security-groups": "\n".join(group.name for group in instance.security_groups),
        "services/domain": "amazonaws.com",
        "services/partition": "aws",
    }
    if instance.public_ip:
        texts["public-ipv4"] = instance.public_ip
    return InstanceMetadata(
        instance_id=instance.id,
        texts=texts,
        identity={
            "accountId": account_id,
            "architecture": instance.architecture,
            "availabilityZone": zone,
            "imageId": instance.image_id,
            "instanceId": instance.id,
            "instanceType": instance.instance_type,
            "pendingTime": str(instance.launch_time),
            "privateIp": instance.address,
            "region": region,
            "version": "2017-09-30",
        },
        key_name=instance.key_name or "",
        public_key=keys[0] if keys else "",
        user_data=instance.user_data_bytes,
        notice=notice.document if notice else {},
        tokens_required=options.http_tokens == "required",
        enabled=options.http_endpoint != "disabled",
        rebalance=rebalance.document if rebalance else {},
    )
