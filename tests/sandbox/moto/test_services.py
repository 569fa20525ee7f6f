"""What moto does otherwise than AWS, as docs/moto.md says: services beside EC2."""

from __future__ import annotations

import pytest

from tests.sandbox.moto.asking import BROKEN, refusal
from tests.sandbox.moto.conftest import Client

pytestmark = [pytest.mark.slow, pytest.mark.deep, pytest.mark.xdist_group("moto")]


def test_parameters(client: Client) -> None:
    ssm = client("ssm")
    image = (
        "/aws/service/deeplearning/ami/x86_64/base-oss-nvidia-driver-gpu-ubuntu-22.04/latest/ami-id"
    )
    assert refusal(ssm.get_parameter, Name=image) == "ParameterNotFound"
    parameter = {"Name": "/mine/long", "Value": "x" * 5000, "Type": "String"}
    assert refusal(ssm.put_parameter, **parameter) is None


def test_quotas_of_ec2(client: Client) -> None:
    quotas = client("service-quotas")
    one = {"ServiceCode": "ec2", "QuotaCode": "L-DB2E81BA"}
    assert refusal(quotas.get_service_quota, **one) == "NoSuchResourceException"
    assert refusal(quotas.list_service_quotas, ServiceCode="ec2") == BROKEN


def test_prices(client: Client) -> None:
    assert refusal(client("pricing").get_products, ServiceCode="AmazonEC2") == BROKEN


def test_what_a_denial_was_about(client: Client) -> None:
    sts = client("sts")
    assert refusal(sts.decode_authorization_message, EncodedMessage="x") == BROKEN
