"""Prices: On-Demand, volumes and addresses from the Price List, Spot from its history."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fleet.aws.clients import Aws
from fleet.aws.effects import effect
from fleet.side_by_side import each_side_by_side

if TYPE_CHECKING:
    from mypy_boto3_ec2.literals import InstanceTypeType
    from mypy_boto3_pricing.type_defs import FilterTypeDef

_PRODUCT = "Linux/UNIX"
_FILTERS = {
    "operatingSystem": "Linux",
    "preInstalledSw": "NA",
    "capacitystatus": "Used",
    "marketoption": "OnDemand",
    "tenancy": "Shared",
}
_MOST_ASKED_ONE_BY_ONE = 12
_MIB_PER_GIB = 1024
_IOPS_GROUPS = {"EBS IOPS": "", "EBS IOPS Tier 2": "/2", "EBS IOPS Tier 3": "/3"}
_ADDRESS = "PublicIPv4:InUseAddress"
_SNAPSHOT = "EBS:SnapshotUsage"


@effect("pricing:GetProducts")
def describe_on_demand_prices(aws: Aws, *, names: Sequence[str]) -> Mapping[str, Decimal]:
    """Give the On-Demand price in USD per hour of each type; a type without a price is left out.

    Many are read in one go, by pages: the answer then holds every type of the region.
    """
    if len(names) > _MOST_ASKED_ONE_BY_ONE:
        return _all_on_demand(aws)
    found = each_side_by_side(
        lambda name: (name, _on_demand(aws, name)), names, at_once=_MOST_ASKED_ONE_BY_ONE
    )
    return {name: price for name, price in found if price is not None}


@effect("pricing:GetProducts")
def describe_rates(aws: Aws) -> Mapping[str, Decimal]:
    """Give the rates of volumes and public addresses, by the names of `fleet.plan.hardware.prices`."""
    asked: tuple[tuple[str, dict[str, str]], ...] = (
        ("AmazonEC2", {"productFamily": "Storage"}),
        ("AmazonEC2", {"productFamily": "Storage Snapshot"}),
        ("AmazonEC2", {"productFamily": "System Operation"}),
        ("AmazonEC2", {"productFamily": "Provisioned Throughput"}),
        ("AmazonVPC", {}),
    )
    answers = each_side_by_side(lambda each: list(_products(aws, *each)), asked, at_once=len(asked))
    return dict(rate for products in answers for product in products for rate in _rates(product))


@effect("ec2:DescribeSpotPriceHistory")
def describe_spot_prices(aws: Aws, *, names: Sequence[str]) -> Mapping[tuple[str, str], Decimal]:
    """Give the Spot price now of each (type, Availability Zone)."""
    types: list[InstanceTypeType] = list(names)  # type: ignore[arg-type]  # open strings
    pages = aws.ec2.get_paginator("describe_spot_price_history").paginate(
        InstanceTypes=types, ProductDescriptions=[_PRODUCT], StartTime=datetime.now(UTC)
    )
    newest: dict[tuple[str, str], tuple[datetime, Decimal]] = {}
    for page in pages:
        for entry in page["SpotPriceHistory"]:
            key = (str(entry["InstanceType"]), entry["AvailabilityZone"])
            value = (entry["Timestamp"], Decimal(entry["SpotPrice"]))
            newest[key] = max(value, newest.get(key, value))
    return {key: price for key, (_, price) in newest.items()}


def _on_demand(aws: Aws, name: str) -> Decimal | None:
    products = _products(aws, "AmazonEC2", _FILTERS | {"instanceType": name})
    return min((price for product in products for price in _usd(product)), default=None)


def _all_on_demand(aws: Aws) -> Mapping[str, Decimal]:
    lowest: dict[str, Decimal] = {}
    for product in _products(aws, "AmazonEC2", _FILTERS):
        name = product["product"]["attributes"].get("instanceType", "")
        for price in _usd(product):
            lowest[name] = min(price, lowest.get(name, price))
    return lowest


def _products(aws: Aws, service: str, wanted: Mapping[str, str]) -> Iterator[Any]:
    """Give the products of the region that match; the Price List writes each as a JSON text."""
    filters: list[FilterTypeDef] = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value}
        for field, value in {**wanted, "regionCode": aws.region}.items()
    ]
    pages = aws.pricing.get_paginator("get_products").paginate(ServiceCode=service, Filters=filters)
    for page in pages:
        yield from (json.loads(text) for text in page["PriceList"])


def _rates(product: Any) -> Iterator[tuple[str, Decimal]]:
    """Give the rate that a product stands for, if it is one of ours. EC2 sells throughput by the GiB/s."""
    attributes = product["product"]["attributes"]
    family = product["product"].get("productFamily", "")
    kind, group = attributes.get("volumeApiName", ""), attributes.get("group", "")
    for price in _usd(product)[:1]:
        if family == "Storage" and kind:
            yield f"volume/{kind}", price
        elif family == "System Operation" and kind and group in _IOPS_GROUPS:
            yield f"iops/{kind}{_IOPS_GROUPS[group]}", price
        elif family == "Provisioned Throughput" and kind:
            yield f"throughput/{kind}", price / _MIB_PER_GIB
        elif attributes.get("usagetype", "").endswith(_ADDRESS):
            yield "address", price
        elif attributes.get("usagetype", "").endswith(_SNAPSHOT):
            yield "snapshot", price


def _usd(product: Any) -> list[Decimal]:
    terms = product.get("terms", {}).get("OnDemand", {}).values()
    dimensions = [d for term in terms for d in term["priceDimensions"].values()]
    prices = [Decimal(d["pricePerUnit"]["USD"]) for d in dimensions if "USD" in d["pricePerUnit"]]
    return [price for price in prices if price > 0]
