"""What moto does otherwise than EC2, as docs/moto.md says: instances.

Where a test fails after `make upgrade`, moto has learnt it: take the line out of docs/moto.md, the test and, where the
sandbox's own answer has no other use, that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.sandbox.moto.asking import BROKEN, described, launched, refusal, volumes
from tests.sandbox.moto.conftest import Client

if TYPE_CHECKING:
    from mypy_boto3_ec2.client import EC2Client

pytestmark = [pytest.mark.slow, pytest.mark.deep, pytest.mark.xdist_group("moto")]


def test_a_client_token_buys_twice(ec2: EC2Client, image_id: str) -> None:
    first, again = (launched(ec2, image_id, ClientToken="once") for _ in range(2))
    assert first != again
    assert launched(ec2, image_id, ClientToken="once", InstanceType="t3.small") not in {
        first,
        again,
    }


def test_what_ec2_refuses_is_launched(ec2: EC2Client, image_id: str, arm_image_id: str) -> None:
    assert launched(ec2, "ami-0123456789abcdef0")
    assert launched(ec2, image_id, InstanceType="zz9.plural")
    assert launched(ec2, arm_image_id, InstanceType="t3.micro")
    assert launched(ec2, image_id, KeyName="nobody")
    assert launched(ec2, image_id, UserData="x" * 30_000)
    assert launched(ec2, image_id, InstanceType="p5.48xlarge", MinCount=50, MaxCount=50)
    spot = {"MarketType": "spot", "SpotOptions": {"MaxPrice": "0.0000001"}}
    assert launched(ec2, image_id, InstanceMarketOptions=spot)


def test_a_subnet_that_is_full_is_an_exception(ec2: EC2Client, image_id: str) -> None:
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/24")["Vpc"]
    subnet = ec2.create_subnet(VpcId=vpc["VpcId"], CidrBlock="10.0.0.0/28")["Subnet"]
    many = {"ImageId": image_id, "SubnetId": subnet["SubnetId"], "MinCount": 20, "MaxCount": 20}
    assert refusal(ec2.run_instances, **many) == BROKEN


def test_gp3_is_always_the_smallest(ec2: EC2Client, image_id: str) -> None:
    ebs = {"VolumeSize": 20, "VolumeType": "gp3", "Iops": 5000, "Throughput": 300}
    devices = [{"DeviceName": "/dev/sda1", "Ebs": ebs}]
    (volume,) = volumes(ec2, launched(ec2, image_id, BlockDeviceMappings=devices))
    assert volume["Iops"] == 3000
    assert "Throughput" not in volume


def test_states_are_reached_at_once(ec2: EC2Client, image_id: str) -> None:
    instance = launched(ec2, image_id)
    one = {"InstanceIds": [instance]}
    assert described(ec2, instance)["State"]["Name"] == "running"
    status = ec2.describe_instance_status(InstanceIds=[instance])["InstanceStatuses"][0]
    assert status["SystemStatus"]["Status"] == "ok"
    (again,) = ec2.start_instances(**one)["StartingInstances"]  # type: ignore[arg-type]
    assert again["CurrentState"]["Name"] == "pending"
    ec2.stop_instances(**one)  # type: ignore[arg-type]
    assert described(ec2, instance)["State"]["Name"] == "stopped"
    (again,) = ec2.stop_instances(**one)["StoppingInstances"]  # type: ignore[arg-type]
    assert again["CurrentState"]["Name"] == "stopping"
    assert refusal(ec2.reboot_instances, **one) is None
    ec2.terminate_instances(**one)  # type: ignore[arg-type]
    (again,) = ec2.terminate_instances(**one)["TerminatingInstances"]  # type: ignore[arg-type]
    assert again["PreviousState"]["Name"] == "terminated"
    assert again["CurrentState"]["Name"] == "shutting-down"


def test_an_instance_that_is_protected_is_terminated(ec2: EC2Client, image_id: str) -> None:
    protected = launched(ec2, image_id, DisableApiTermination=True)
    assert refusal(ec2.terminate_instances, InstanceIds=[protected]) is None


def test_spot_is_a_word(ec2: EC2Client, image_id: str) -> None:
    spot = launched(ec2, image_id, InstanceMarketOptions={"MarketType": "spot"})
    assert described(ec2, spot)["InstanceLifecycle"] == "spot"
    assert "SpotInstanceRequestId" not in described(ec2, spot)
    assert ec2.describe_spot_instance_requests()["SpotInstanceRequests"] == []
    assert refusal(ec2.stop_instances, InstanceIds=[spot]) is None
    unknown = {"SpotInstanceRequestIds": ["sir-12345678"]}
    assert refusal(ec2.cancel_spot_instance_requests, **unknown) == BROKEN


def test_the_console_is_a_fixed_text(ec2: EC2Client, image_id: str) -> None:
    output = ec2.get_console_output(InstanceId=launched(ec2, image_id))["Output"]
    assert output.startswith("Linux version 2.6.16-xenU")
    assert "SSH HOST KEY" not in output


@pytest.mark.parametrize("name", ["instance-lifecycle", "nonsense"])
def test_a_filter_that_moto_does_not_know_is_an_exception(ec2: EC2Client, name: str) -> None:
    wanted = {"Filters": [{"Name": name, "Values": ["spot"]}]}
    assert refusal(ec2.describe_instances, **wanted) == BROKEN


def test_tags_go_on_what_is_not_there_and_may_be_awss_own(ec2: EC2Client, image_id: str) -> None:
    of_aws = [{"Key": "aws:mine", "Value": "yes"}]
    assert refusal(ec2.create_tags, Resources=["i-0123456789abcdef0"], Tags=of_aws) is None
    assert refusal(ec2.create_tags, Resources=[launched(ec2, image_id)], Tags=of_aws) is None


def test_a_security_group_in_use_is_deleted(ec2: EC2Client, image_id: str) -> None:
    group = ec2.create_security_group(GroupName="in-use", Description="in use")["GroupId"]
    launched(ec2, image_id, SecurityGroupIds=[group])
    assert refusal(ec2.delete_security_group, GroupId=group) is None


def test_a_key_pair_is_not_deleted_by_its_id(ec2: EC2Client) -> None:
    pair = ec2.create_key_pair(KeyName="mine")
    assert refusal(ec2.delete_key_pair, KeyPairId=pair["KeyPairId"]) is None
    assert ec2.describe_key_pairs(KeyNames=["mine"])["KeyPairs"]


def test_a_dry_run_of_some_reads_reads(ec2: EC2Client, image_id: str) -> None:
    assert refusal(ec2.describe_launch_templates, DryRun=True) == "DryRunOperation"
    assert refusal(ec2.describe_instance_type_offerings, DryRun=True) is None
    assert refusal(ec2.get_console_output, InstanceId=launched(ec2, image_id), DryRun=True) is None


def test_an_unknown_volume_is_named_as_a_set(ec2: EC2Client) -> None:
    with pytest.raises(Exception, match=r"'\{'vol-0123456789abcdef0'\}'"):
        ec2.describe_volumes(VolumeIds=["vol-0123456789abcdef0"])


def test_a_default_vpc_has_no_way_out(client: Client) -> None:
    ec2: EC2Client = client("ec2")
    (vpc,) = (v for v in ec2.describe_vpcs()["Vpcs"] if v["IsDefault"])
    attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
    assert ec2.describe_internet_gateways(Filters=attached)["InternetGateways"] == []  # type: ignore[arg-type]
