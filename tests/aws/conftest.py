"""The layer's functions over a served cloud whose hosts boot nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from fleet.aws.clients import Aws
from tests.sandbox.cloud.asking import image_id, instances
from tests.sandbox.cloud.recording import Served, eventually, serve

ROOT: Any = {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 80, "Encrypted": True}}


@dataclass
class Region:
    """A cloud, and our clients in one of its regions."""

    served: Served
    aws: Aws

    def launched(
        self, *, image: str | None = None, key: str | None = None, **tags: str
    ) -> dict[str, Any]:
        """An instance that runs, its root volume encrypted with a key or with EBS's own."""
        root: Any = {**ROOT, "Ebs": {**ROOT["Ebs"], **({"KmsKeyId": key} if key else {})}}
        named: Any = [{"Key": f"fleet:{name}", "Value": value} for name, value in tags.items()]
        (made,) = self.aws.ec2.run_instances(
            ImageId=image or image_id(self.served),
            InstanceType="t3.medium",
            MinCount=1,
            MaxCount=1,
            BlockDeviceMappings=[root],
            TagSpecifications=[{"ResourceType": "instance", "Tags": named}] if tags else [],
        )["Instances"]
        found = eventually(
            lambda: self.instance(made["InstanceId"]),
            lambda one: bool(one["State"]["Name"] == "running"),
        )
        eventually(lambda: made["InstanceId"] in self.served.driver.booted, bool)
        return found

    def instance(self, instance_id: str) -> dict[str, Any]:
        (found,) = instances(self.served, InstanceIds=[instance_id])
        return dict(found)


@pytest.fixture(scope="module")
def served_once() -> Iterator[Served]:
    with serve() as served:
        yield served


@pytest.fixture
def region(served_once: Served, monkeypatch: pytest.MonkeyPatch) -> Iterator[Region]:
    monkeypatch.setenv("AWS_ENDPOINT_URL", served_once.url)
    served_once.driver.slow, served_once.driver.full = 0, False
    yield Region(served_once, Aws(served_once.session(), region="us-east-1"))
    served_once.cloud.reset()
    served_once.driver.calls.clear()
    served_once.driver.booted.clear()
    served_once.driver.kept.clear()
