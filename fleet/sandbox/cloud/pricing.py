"""The Price List API: GetProducts for EC2 with TERM_MATCH filters, DescribeServices,
GetAttributeValues.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, Any

from fleet.sandbox.cloud import prices
from fleet.sandbox.cloud.documents import Answer, ApiError
from fleet.sandbox.cloud.json_api import Action, Parameters, answer, page

if TYPE_CHECKING:
    from fleet.sandbox.cloud.call import Call

_PUBLISHED = "2026-07-20T00:00:00Z"
_VOLUME_NAMES = {
    "gp3": "General Purpose", "gp2": "General Purpose", "io2": "Provisioned IOPS", "io1": "Provisioned IOPS",
    "st1": "Throughput Optimized HDD", "sc1": "Cold HDD",
}  # fmt: skip
_ENDPOINTS = frozenset({"us-east-1", "eu-central-1", "ap-south-1"})


def handle(call: Call) -> Answer:
    """Answers one call."""
    if call.region not in _ENDPOINTS:
        raise ApiError(
            "AccessDeniedException", f"There is no Price List endpoint in {call.region}."
        )
    actions: dict[str, Action] = {
        "GetProducts": _get_products,
        "DescribeServices": _describe_services,
        "GetAttributeValues": _get_attribute_values,
    }
    return answer(call, actions)


def _get_products(_: Call, parameters: Parameters) -> Parameters:
    service = parameters.get("ServiceCode")
    if service not in {"AmazonEC2", "AmazonVPC"}:
        raise ApiError(
            "InvalidParameterException", f"The service code {service} is not known to the sandbox."
        )
    filters = parameters.get("Filters") or []
    wanted = [item for item in filters if item["Field"] not in {"regionCode", "location"}]
    region = next((item["Value"] for item in filters if item["Field"] == "regionCode"), "us-east-1")
    found = [
        json.dumps(_product(attributes, unit, price, str(service), region))
        for attributes, family, unit, price in _offers(str(service))
        if all(
            _matches(item, {**attributes, "productFamily": family, "serviceCode": service})
            for item in wanted
        )
    ]
    return {"FormatVersion": "aws_v1", **page("PriceList", found, parameters, default=100)}


def _matches(item: Parameters, attributes: Parameters) -> bool:
    if item.get("Type", "TERM_MATCH") != "TERM_MATCH":
        raise ApiError(
            "InvalidParameterException",
            f"The sandbox does not know the filter type {item['Type']}.",
        )
    return str(attributes.get(item["Field"], "")).lower() == str(item["Value"]).lower()


Offer = tuple[dict[str, str], str, str, float]
"""Attributes, product family, unit, USD."""


@cache
def _offers(service: str) -> tuple[Offer, ...]:
    return tuple(_public_ipv4() if service == "AmazonVPC" else [*_instances(), *_storage()])


def _instances() -> Iterator[Offer]:
    from fleet.sandbox.cloud.ec2 import catalog

    for name in sorted(catalog.instance_types()):
        price = catalog.on_demand_price(name)
        if price is None:
            continue
        attributes = {
            "instanceType": name,
            "vcpu": str(catalog.vcpus(name)),
            "operatingSystem": "Linux",
            "preInstalledSw": "NA",
            "capacitystatus": "Used",
            "marketoption": "OnDemand",
            "tenancy": "Shared",
            "licenseModel": "No License required",
            "operation": "RunInstances",
            "usagetype": f"BoxUsage:{name}",
        }
        metal = name.endswith(".metal") or ".metal-" in name
        yield (
            attributes,
            "Compute Instance (bare metal)" if metal else "Compute Instance",
            "Hrs",
            price,
        )


def _storage() -> Iterator[Offer]:
    for kind, price in prices.STORAGE_GB_MONTH.items():
        attributes = {
            "volumeApiName": kind,
            "volumeType": _VOLUME_NAMES[kind],
            "usagetype": f"EBS:VolumeUsage.{kind}",
        }
        yield attributes, "Storage", "GB-Mo", price
    usage = {"usagetype": "EBS:SnapshotUsage"}
    yield usage, "Storage Snapshot", "GB-Mo", prices.SNAPSHOT_GB_MONTH
    iops = {"volumeApiName": "gp3", "group": "EBS IOPS", "usagetype": "EBS:VolumeP-IOPS.gp3"}
    yield iops, "System Operation", "IOPS-Mo", prices.GP3_IOPS_MONTH
    iops = {"volumeApiName": "io2", "group": "EBS IOPS", "usagetype": "EBS:VolumeP-IOPS.io2"}
    yield iops, "System Operation", "IOPS-Mo", prices.IO2_IOPS_MONTH
    throughput = {
        "volumeApiName": "gp3",
        "group": "EBS Throughput",
        "usagetype": "EBS:VolumeP-Throughput.gp3",
    }
    yield throughput, "Provisioned Throughput", "GiBps-mo", prices.GP3_GIBPS_MONTH


def _public_ipv4() -> Iterator[Offer]:
    for kind in ("InUse", "Idle"):
        attributes = {
            "group": f"VPCPublicIPv4Address{kind}",
            "usagetype": f"PublicIPv4:{kind}Address",
        }
        yield attributes, "VPC", "Hrs", prices.PUBLIC_IPV4_HOUR


def _product(
    attributes: dict[str, str], unit: str, price: float, service: str, region: str
) -> dict[str, Any]:
    text = "/".join([service, region, *attributes.values()])
    sku = hashlib.sha256(text.encode()).hexdigest()[:16].upper()
    dimension = f"{sku}.JRTCKXETXF.6YS6EN2CT7"
    named = {
        "serviceCode": service,
        "servicecode": service,
        "regionCode": region,
        "locationType": "AWS Region",
        **attributes,
    }
    rate = {
        "unit": unit,
        "endRange": "Inf",
        "beginRange": "0",
        "description": f"${price:.10f} per {unit}",
        "appliesTo": [],
        "rateCode": dimension,
        "pricePerUnit": {"USD": f"{price:.10f}"},
    }
    term = {
        "priceDimensions": {dimension: rate},
        "sku": sku,
        "effectiveDate": _PUBLISHED,
        "offerTermCode": "JRTCKXETXF",
        "termAttributes": {},
    }
    family = {"productFamily": _family(attributes, unit), "attributes": named, "sku": sku}
    return {
        "product": family,
        "serviceCode": service,
        "terms": {"OnDemand": {f"{sku}.JRTCKXETXF": term}},
        "version": "20260720000000",
        "publicationDate": _PUBLISHED,
    }


def _family(attributes: dict[str, str], unit: str) -> str:
    if "instanceType" in attributes:
        return (
            "Compute Instance (bare metal)"
            if "metal" in attributes["instanceType"]
            else "Compute Instance"
        )
    if attributes["usagetype"].endswith("SnapshotUsage"):
        return "Storage Snapshot"
    return {
        "GB-Mo": "Storage",
        "IOPS-Mo": "System Operation",
        "GiBps-mo": "Provisioned Throughput",
    }.get(unit, "VPC")


def _describe_services(_: Call, parameters: Parameters) -> Parameters:
    known = [
        {
            "ServiceCode": "AmazonEC2",
            "AttributeNames": ["instanceType", "regionCode", "operatingSystem", "tenancy"],
        },
        {"ServiceCode": "AmazonVPC", "AttributeNames": ["group", "regionCode"]},
    ]
    wanted = parameters.get("ServiceCode")
    return page(
        "Services",
        [s for s in known if wanted in {None, s["ServiceCode"]}],
        parameters,
        default=100,
    )


def _get_attribute_values(_: Call, parameters: Parameters) -> Parameters:
    name = str(parameters.get("AttributeName"))
    values = sorted(
        {o[0][name] for o in _offers(str(parameters.get("ServiceCode"))) if name in o[0]}
    )
    return page("AttributeValues", [{"Value": value} for value in values], parameters, default=100)
