"""RunInstances, and the lives of instances with their hosts."""

from __future__ import annotations

import base64
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.cloud.asking import (
    PUBLIC_KEY,
    image_id,
    instances,
    refused,
    states,
    subnets,
    template,
)
from tests.sandbox.cloud.recording import eventually

if TYPE_CHECKING:
    from tests.sandbox.cloud.recording import Served

pytestmark = pytest.mark.slow


def run(served: Served, count: int = 1, **more: Any) -> list[str]:
    """RunInstances of CPU instances; their ids."""
    request = {
        "ImageId": image_id(served),
        "InstanceType": "t3.medium",
        "MinCount": count,
        "MaxCount": count,
        **more,
    }
    return [i["InstanceId"] for i in served.ec2.run_instances(**request)["Instances"]]


def wait(served: Served, *wanted: str) -> None:
    """Until every instance is in one of the states."""
    eventually(lambda: states(served), lambda found: found <= set(wanted))


def test_a_key_pair_counts_at_the_launch(served: Served) -> None:
    served.ec2.import_key_pair(KeyName="k", PublicKeyMaterial=PUBLIC_KEY)
    (instance_id,) = run(served, KeyName="k")
    served.ec2.delete_key_pair(KeyName="k")
    host = eventually(lambda: served.driver.booted.get(instance_id), bool)
    assert host is not None
    assert host.authorized_keys == (PUBLIC_KEY.decode(),)


def test_amazon_linux_and_a_slice_of_a_gpu(served: Served) -> None:
    name = "Deep Learning OSS Nvidia Driver AMI GPU PyTorch*(Amazon Linux 2023)*"
    (instance_id,) = run(served, ImageId=image_id(served, name), InstanceType="g6f.large")
    host = eventually(lambda: served.driver.booted.get(instance_id), bool)
    assert host is not None
    assert host.user == "ec2-user"
    assert [(g.name, g.memory_mib) for g in host.gpus] == [("NVIDIA L4", 2861)]
    assert host.authorized_keys == ()


def test_terminate_ends_the_host_and_everything_that_it_held(served: Served) -> None:
    (instance_id,) = run(served)
    wait(served, "running")
    change = served.ec2.terminate_instances(InstanceIds=[instance_id])["TerminatingInstances"][0]
    assert change["PreviousState"]["Name"] == "running"
    assert change["CurrentState"] == {"Code": 32, "Name": "shutting-down"}
    wait(served, "terminated")
    assert served.driver.of(instance_id) == ["boot", "destroy"]
    assert served.ec2.describe_volumes()["Volumes"] == []
    assert served.ec2.describe_network_interfaces()["NetworkInterfaces"] == []
    (instance,) = instances(served)
    assert "PublicIpAddress" not in instance
    assert instance["StateReason"]["Code"] == "Client.UserInitiatedShutdown"


def test_a_volume_that_outlives_its_instance(served: Served) -> None:
    kept = {"VolumeSize": 50, "VolumeType": "gp3", "DeleteOnTermination": False}
    run(served, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": kept}])
    volumes = {v["Attachments"][0]["Device"]: v for v in served.ec2.describe_volumes()["Volumes"]}
    assert set(volumes) == {"/dev/sda1", "/dev/sdf"}
    served.ec2.terminate_instances(InstanceIds=[instances(served)[0]["InstanceId"]])
    wait(served, "terminated")
    (left,) = served.ec2.describe_volumes()["Volumes"]
    assert (left["Size"], left["State"]) == (50, "available")


def test_stop_start_and_reboot(served: Served) -> None:
    (instance_id,) = run(served)
    wait(served, "running")
    served.ec2.reboot_instances(InstanceIds=[instance_id])
    eventually(lambda: served.driver.of(instance_id), lambda c: c == ["boot", "power_off", "boot"])
    change = served.ec2.stop_instances(InstanceIds=[instance_id])["StoppingInstances"][0]
    assert change["CurrentState"]["Name"] == "stopping"
    refused("IncorrectInstanceState", served.ec2.start_instances, InstanceIds=[instance_id])
    wait(served, "stopped")
    assert "PublicIpAddress" not in instances(served)[0]
    served.ec2.start_instances(InstanceIds=[instance_id])
    wait(served, "running")
    eventually(lambda: served.driver.of(instance_id)[3:], lambda c: c == ["power_off", "boot"])
    assert "PublicIpAddress" in instances(served)[0]


@pytest.mark.parametrize(("behavior", "state"), [("stop", "stopped"), ("terminate", "terminated")])
def test_a_host_that_powers_itself_off(served: Served, behavior: str, state: str) -> None:
    (instance_id,) = run(served, InstanceInitiatedShutdownBehavior=behavior)
    wait(served, "running")
    eventually(lambda: served.driver.booted.get(instance_id), bool)
    served.cloud.host_powered_off(instance_id)
    wait(served, state)
    (instance,) = instances(served)
    assert instance["StateReason"]["Code"] == "Client.InstanceInitiatedShutdown"
    assert ("destroy" in served.driver.of(instance_id)) == (behavior == "terminate")


def test_terminated_while_pending_never_boots(served: Served) -> None:
    (instance_id,) = run(served)
    served.ec2.terminate_instances(InstanceIds=[instance_id])
    wait(served, "terminated")
    assert served.driver.of(instance_id) == []


def test_a_slow_host_delays_nobody(served: Served) -> None:
    (instance_id,) = run(served)
    wait(served, "running")
    eventually(lambda: served.driver.booted.get(instance_id), bool)
    served.driver.slow = 3
    served.ec2.terminate_instances(InstanceIds=[instance_id])
    begun = time.monotonic()
    while time.monotonic() - begun < 1:
        before = time.monotonic()
        assert states(served) == {"shutting-down"}
        assert time.monotonic() - before < 2
    served.driver.slow = 0
    wait(served, "terminated")


def test_the_console_is_the_hosts(served: Served) -> None:
    (instance_id,) = run(served)
    output = served.ec2.get_console_output(InstanceId=instance_id)["Output"]
    assert output == f"console of {instance_id}\n"
    refused(
        "InvalidInstanceID.NotFound", served.ec2.get_console_output, InstanceId="i-0" + "0" * 16
    )


def test_many_launches_at_once(served: Served) -> None:
    image = image_id(served)
    threads = [
        threading.Thread(target=run, args=(served, 3), kwargs={"ImageId": image}) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    wait(served, "running")
    found = instances(served)
    assert len({i["PrivateIpAddress"] for i in found}) == len(found) == 18


def test_the_same_token_runs_once(served: Served) -> None:
    image = image_id(served)
    first = run(served, ClientToken="t", ImageId=image)
    assert run(served, ClientToken="t", ImageId=image) == first
    assert len(instances(served)) == 1
    refused("IdempotentParameterMismatch", run, served=served, count=2, ClientToken="t")


def test_between_least_and_most(served: Served) -> None:
    served.cloud.state.capacity.put(3, instance_type="t3.medium", availability_zone="us-east-1a")
    zone: Any = {"Placement": {"AvailabilityZone": "us-east-1a"}}
    assert len(run(served, MinCount=1, MaxCount=5, **zone)) == 3
    message = refused("InsufficientInstanceCapacity", run, served=served, **zone)
    assert "choosing us-east-1b" in message


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"ImageId": "ami-00000000000000000"}, "InvalidAMIID.NotFound"),
        ({"InstanceType": "g99.xlarge"}, "InvalidParameterValue"),
        ({"InstanceType": "g5g.xlarge"}, "InvalidParameterValue"),
        ({"KeyName": "nobody"}, "InvalidKeyPair.NotFound"),
        ({"SubnetId": "subnet-00000000000000000"}, "InvalidSubnetID.NotFound"),
        ({"IamInstanceProfile": {"Name": "nobody"}}, "InvalidParameterValue"),
        (
            {"Placement": {"AvailabilityZone": "us-east-1e"}, "InstanceType": "g5.xlarge"},
            "Unsupported",
        ),
        ({"UserData": "x" * 17000}, "InvalidUserData.Malformed"),
        ({"MinCount": 2, "MaxCount": 1}, "InvalidParameterValue"),
        ({"DryRun": True}, "DryRunOperation"),
        (
            {"TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "aws:a"}]}]},
            "InvalidParameterValue",
        ),
    ],
)
def test_launches_that_ec2_refuses(served: Served, changes: dict[str, Any], code: str) -> None:
    refused(code, run, served=served, **changes)
    assert instances(served) == []


@pytest.mark.parametrize(
    ("ebs", "code"),
    [
        ({"VolumeSize": 20}, "InvalidBlockDeviceMapping"),
        ({"VolumeSize": 200, "VolumeType": "gp3", "Throughput": 1000}, "InvalidParameterValue"),
        ({"VolumeSize": 200, "VolumeType": "gp3", "Iops": 100}, "InvalidParameterValue"),
        (
            {"VolumeSize": 200, "VolumeType": "gp2", "Throughput": 200},
            "InvalidParameterCombination",
        ),
    ],
)
def test_volumes_that_ec2_refuses(served: Served, ebs: dict[str, Any], code: str) -> None:
    mapping = [{"DeviceName": "/dev/sda1", "Ebs": ebs}]
    refused(code, run, served=served, BlockDeviceMappings=mapping)


def test_a_template_with_its_parameters_overridden(served: Served) -> None:
    made = template(served)
    served.ec2.run_instances(
        LaunchTemplate={"LaunchTemplateId": made},
        InstanceType="t3.medium",
        SubnetId=subnets(served)["us-east-1c"],
        MinCount=1,
        MaxCount=1,
        BlockDeviceMappings=[{"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 300}}],
    )
    (instance,) = instances(served)
    assert instance["Placement"]["AvailabilityZone"] == "us-east-1c"
    (volume,) = served.ec2.describe_volumes()["Volumes"]
    assert (volume["Size"], volume["Iops"], volume["Throughput"]) == (300, 4000, 500)


def test_protected_instances_stay(served: Served) -> None:
    (instance_id,) = run(served, DisableApiTermination=True)
    refused("OperationNotPermitted", served.ec2.terminate_instances, InstanceIds=[instance_id])
    served.ec2.modify_instance_attribute(
        InstanceId=instance_id, DisableApiTermination={"Value": False}
    )
    served.ec2.terminate_instances(InstanceIds=[instance_id])
    wait(served, "terminated")


def test_filters_and_unknown_ids(served: Served) -> None:
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "fleet:name", "Value": "a"}]}]
    (mine,) = run(served, TagSpecifications=tags)
    run(served)
    by_tag = [{"Name": "tag:fleet:name", "Values": ["a"]}]
    assert [i["InstanceId"] for i in instances(served, Filters=by_tag)] == [mine]
    both = [*by_tag, {"Name": "instance-state-name", "Values": ["stopped"]}]
    assert instances(served, Filters=both) == []
    bad = [{"Name": "colour", "Values": ["red"]}]
    refused("InvalidParameterValue", served.ec2.describe_instances, Filters=bad)
    missing = ["i-00000000000000000"]
    refused("InvalidInstanceID.NotFound", served.ec2.describe_instances, InstanceIds=missing)
    refused("InvalidInstanceID.NotFound", served.ec2.terminate_instances, InstanceIds=missing)


def test_waiters_and_status(served: Served) -> None:
    ids = run(served, 2)
    served.ec2.get_waiter("instance_running").wait(
        InstanceIds=ids, WaiterConfig={"Delay": 1, "MaxAttempts": 20}
    )
    statuses = served.ec2.describe_instance_status(InstanceIds=ids)["InstanceStatuses"]
    assert {s["InstanceStatus"]["Status"] for s in statuses} == {"ok"}


def test_reset_destroys_hosts_and_forgets(served: Served) -> None:
    ids = run(served, 2)
    wait(served, "running")
    eventually(lambda: len(served.driver.booted), lambda n: n == 2)
    served.cloud.reset()
    assert all(served.driver.of(i) == ["boot", "destroy"] for i in ids)
    assert instances(served) == []


def test_user_data_is_what_the_instance_shows(served: Served) -> None:
    (instance_id,) = run(served, UserData="#!/bin/sh\n")
    shown = served.ec2.describe_instance_attribute(InstanceId=instance_id, Attribute="userData")
    assert base64.b64decode(shown["UserData"]["Value"]) == b"#!/bin/sh\n"
