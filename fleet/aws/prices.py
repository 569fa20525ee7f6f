"""Prices: On-Demand from the Price List, Spot from its history. USD per hour."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from fleet.aws.clients import Aws
from fleet.aws.effects import effect

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


@effect("pricing:GetProducts")
def describe_on_demand_prices(aws: Aws, *, names: Sequence[str]) -> Mapping[str, Decimal]:
    """Give the On-Demand price of each type; a type without a price is left out."""
    _ = aws.pricing  # made once, here: making clients is not thread-safe
    with ThreadPoolExecutor(max_workers=min(8, max(len(names), 1))) as pool:
        found = pool.map(lambda name: (name, _on_demand(aws, name)), names)
        return {name: price for name, price in found if price is not None}


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
    wanted = _FILTERS | {"instanceType": name, "regionCode": aws.region}
    filters: list[FilterTypeDef] = [
        {"Type": "TERM_MATCH", "Field": field, "Value": value} for field, value in wanted.items()
    ]
    answer = aws.pricing.get_products(ServiceCode="AmazonEC2", Filters=filters)
    prices = [price for text in answer["PriceList"] for price in _hourly(json.loads(text))]
    return min(prices, default=None)


def _hourly(product: Any) -> list[Decimal]:
    terms = product.get("terms", {}).get("OnDemand", {}).values()
    dimensions = [d for term in terms for d in term["priceDimensions"].values()]
    prices = [Decimal(d["pricePerUnit"]["USD"]) for d in dimensions if "USD" in d["pricePerUnit"]]
    return [price for price in prices if price > 0]
