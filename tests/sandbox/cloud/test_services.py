"""SSM, STS, IAM, S3, Service Quotas, the Price List, credentials, Regions, and errors of every protocol."""

from __future__ import annotations

import json
import urllib.request
from typing import TYPE_CHECKING, Any

import pytest

from tests.sandbox.cloud.asking import refused

if TYPE_CHECKING:
    from tests.sandbox.cloud.recording import Served

PREFIX = "/aws/service/deeplearning/ami"
BASE = f"{PREFIX}/x86_64/base-oss-nvidia-driver-gpu-ubuntu-24.04/latest/ami-id"


def test_public_parameters_point_to_the_newest_image(served: Served) -> None:
    ssm = served.client("ssm")
    image_id = ssm.get_parameter(Name=BASE)["Parameter"]["Value"]
    (image,) = served.ec2.describe_images(ImageIds=[image_id])["Images"]
    assert image["Name"] == "Deep Learning Base OSS Nvidia Driver GPU AMI (Ubuntu 24.04) 20261006"
    answer = ssm.get_parameters(Names=[BASE, "/aws/service/deeplearning/ami/none"])
    assert [p["Name"] for p in answer["Parameters"]] == [BASE]
    assert answer["InvalidParameters"] == ["/aws/service/deeplearning/ami/none"]
    pages = ssm.get_paginator("get_parameters_by_path").paginate(Path=PREFIX, Recursive=True)
    found = {p["Name"]: p["Value"] for page in pages for p in page["Parameters"]}
    assert found[BASE] == image_id
    assert len(found) > 20
    derived = f"{PREFIX}/arm64/oss-nvidia-driver-gpu-pytorch-2.10-ubuntu-24.04/latest/ami-id"
    assert derived in found


def test_a_secure_string_with_tags(served: Served) -> None:
    ssm = served.client("ssm")
    request = {"Name": "/fleet/a/secret", "Value": "s3cret", "Type": "SecureString"}
    tags = [{"Key": "fleet:name", "Value": "a"}]
    ssm.put_parameter(**request, Tags=tags)
    refused("ParameterAlreadyExists", ssm.put_parameter, **request)
    refused("ValidationException", ssm.put_parameter, **request, Tags=tags, Overwrite=True)
    assert ssm.put_parameter(**request, Overwrite=True)["Version"] == 2
    hidden = ssm.get_parameter(Name="/fleet/a/secret")["Parameter"]["Value"]
    assert hidden != "s3cret"
    shown = ssm.get_parameter(Name="/fleet/a/secret", WithDecryption=True)["Parameter"]
    assert shown["Value"] == "s3cret"
    by_tag = [{"Key": "tag:fleet:name", "Values": ["a"]}]
    found = ssm.describe_parameters(ParameterFilters=by_tag)["Parameters"]
    assert [p["Name"] for p in found] == ["/fleet/a/secret"]
    assert [p["Name"] for p in ssm.describe_parameters()["Parameters"]] == ["/fleet/a/secret"]
    assert (
        ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId="/fleet/a/secret")[
            "TagList"
        ]
        == tags
    )
    ssm.delete_parameter(Name="/fleet/a/secret")
    refused("ParameterNotFound", ssm.get_parameter, Name="/fleet/a/secret")
    refused("ParameterNotFound", ssm.delete_parameter, Name="/fleet/a/secret")


def test_who_am_i(served: Served) -> None:
    assert served.client("sts").get_caller_identity()["Account"] == "123456789012"
    assert served.client("sts", key="any").get_caller_identity()["Account"] == "123456789012"


@pytest.mark.parametrize(
    ("key", "service", "action", "code"),
    [
        ("EXPIRED", "sts", "get_caller_identity", "ExpiredToken"),
        ("EXPIRED", "ec2", "describe_instances", "RequestExpired"),
        ("EXPIRED", "ssm", "describe_parameters", "ExpiredTokenException"),
        ("EXPIRED", "s3", "list_buckets", "ExpiredToken"),
        ("INVALID", "sts", "get_caller_identity", "InvalidClientTokenId"),
        ("INVALID", "ec2", "describe_instances", "AuthFailure"),
        ("INVALID", "ssm", "describe_parameters", "UnrecognizedClientException"),
        ("INVALID", "s3", "list_buckets", "InvalidAccessKeyId"),
    ],
)
def test_credentials(served: Served, key: str, service: str, action: str, code: str) -> None:
    refused(code, getattr(served.client(service, key=key), action))


def test_a_region_that_does_not_exist(served: Served) -> None:
    nowhere = served.client("ec2", region="us-nowhere-1")
    refused("AuthFailure", nowhere.describe_instances)
    refused(
        "UnrecognizedClientException",
        served.client("ssm", region="us-nowhere-1").describe_parameters,
    )


@pytest.mark.parametrize(
    ("service", "action", "parameters"),
    [
        ("ec2", "describe_volume_status", {}),
        ("ec2", "get_spot_placement_scores", {"TargetCapacity": 1}),
        ("ssm", "list_associations", {}),
        ("iam", "get_context_keys_for_custom_policy", {"PolicyInputList": ["{}"]}),
        ("service-quotas", "list_services", {}),
        (
            "pricing",
            "list_price_lists",
            {"ServiceCode": "AmazonEC2", "EffectiveDate": 0, "CurrencyCode": "USD"},
        ),
    ],
)
def test_what_is_not_implemented_says_so(
    served: Served, service: str, action: str, parameters: dict[str, Any]
) -> None:
    call = getattr(served.client(service), action)
    message = refused("UnsupportedOperation", call, **parameters)
    assert "The sandbox does not implement" in message


def test_no_request_is_answered_with_html(served: Served) -> None:
    for path, data in (("/", b"Action=Nonsense"), ("/no/such", b"{}"), ("/", b"")):
        request = urllib.request.Request(served.url + path, data=data, method="POST")
        scope = "AKIA/20261121/us-east-1/ec2/aws4_request"
        request.add_header("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, Signature=0")
        request.add_header("Content-Type", "application/x-www-form-urlencoded")
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(request, timeout=20)
        body = caught.value.read()
        caught.value.close()
        assert b"<Code>" in body
        assert b"html" not in body.lower()


def test_checkip(served: Served) -> None:
    with urllib.request.urlopen(f"{served.url}/checkip", timeout=20) as answer:
        assert answer.read() == b"127.0.0.1\n"


def prices(served: Served, **fields: str) -> list[Any]:
    filters = [{"Type": "TERM_MATCH", "Field": f, "Value": v} for f, v in fields.items()]
    pages = (
        served.client("pricing")
        .get_paginator("get_products")
        .paginate(ServiceCode="AmazonEC2", Filters=filters)
    )
    return [json.loads(text) for page in pages for text in page["PriceList"]]


def usd(product: Any) -> float:
    (term,) = product["terms"]["OnDemand"].values()
    (dimension,) = term["priceDimensions"].values()
    return float(dimension["pricePerUnit"]["USD"])


LINUX = {
    "regionCode": "us-east-1",
    "serviceCode": "AmazonEC2",
    "operatingSystem": "Linux",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
    "tenancy": "Shared",
    "productFamily": "Compute Instance",
}


@pytest.mark.parametrize(
    ("name", "price"),
    [("g5.xlarge", 1.006), ("p5.48xlarge", 55.04), ("t3.medium", 0.0416), ("m6i.2xlarge", 0.384)],
)
def test_instance_prices(served: Served, name: str, price: float) -> None:
    (product,) = prices(served, **LINUX, instanceType=name)
    assert product["product"]["attributes"]["instanceType"] == name
    assert usd(product) == pytest.approx(price)


def test_all_instance_prices_in_pages(served: Served) -> None:
    found = {p["product"]["attributes"]["instanceType"] for p in prices(served, **LINUX)}
    assert {"g4dn.xlarge", "p3.2xlarge", "m5.large"} <= found
    assert prices(served, **LINUX, instanceType="g99.xlarge") == []
    metal = {
        **LINUX,
        "productFamily": "Compute Instance (bare metal)",
        "instanceType": "g4dn.metal",
    }
    assert len(prices(served, **metal)) == 1


def test_storage_and_address_prices(served: Served) -> None:
    region = {"regionCode": "us-east-1", "volumeApiName": "gp3"}
    (storage,) = prices(served, **region, productFamily="Storage")
    assert usd(storage) == pytest.approx(0.08)
    (iops,) = prices(served, **region, productFamily="System Operation")
    assert usd(iops) == pytest.approx(0.005)
    (throughput,) = prices(served, **region, productFamily="Provisioned Throughput")
    assert usd(throughput) / 1024 == pytest.approx(0.04)
    (io2,) = prices(served, regionCode="us-east-1", volumeApiName="io2", productFamily="Storage")
    assert usd(io2) == pytest.approx(0.125)
    answer = served.client("pricing").get_products(
        ServiceCode="AmazonVPC",
        Filters=[{"Type": "TERM_MATCH", "Field": "group", "Value": "VPCPublicIPv4AddressInUse"}],
    )
    assert usd(json.loads(answer["PriceList"][0])) == pytest.approx(0.005)


def test_quotas(served: Served) -> None:
    quotas = served.client("service-quotas")
    one = {"ServiceCode": "ec2", "QuotaCode": "L-DB2E81BA"}
    assert quotas.get_service_quota(**one)["Quota"]["Value"] == 512
    assert quotas.get_aws_default_service_quota(**one)["Quota"]["Value"] == 0
    served.cloud.state.quotas.put("L-DB2E81BA", 8, region="us-east-1")
    listed = quotas.list_service_quotas(ServiceCode="ec2")["Quotas"]
    assert {q["QuotaCode"]: q["Value"] for q in listed}["L-DB2E81BA"] == 8
    assert (
        quotas.list_requested_service_quota_change_history_by_quota(**one)["RequestedQuotas"] == []
    )
    asked = quotas.request_service_quota_increase(**one, DesiredValue=64)["RequestedQuota"]
    assert (asked["Status"], asked["DesiredValue"]) == ("PENDING", 64)
    refused(
        "ResourceAlreadyExistsException",
        quotas.request_service_quota_increase,
        **one,
        DesiredValue=96,
    )
    history = quotas.list_requested_service_quota_change_history_by_quota(**one)["RequestedQuotas"]
    assert [r["Id"] for r in history] == [asked["Id"]]
    missing = {"ServiceCode": "ec2", "QuotaCode": "L-00000000"}
    refused("NoSuchResourceException", quotas.get_service_quota, **missing)


def test_s3_and_iam(served: Served) -> None:
    s3 = served.client("s3")
    s3.create_bucket(Bucket="course")
    s3.put_object(Bucket="course", Key="a/b.txt", Body=b"hello")
    assert s3.get_object(Bucket="course", Key="a/b.txt")["Body"].read() == b"hello"
    refused("NoSuchBucket", s3.list_objects_v2, Bucket="nobody")
    iam = served.client("iam")
    iam.create_instance_profile(InstanceProfileName="course")
    refused("NoSuchEntity", iam.get_instance_profile, InstanceProfileName="nobody")
