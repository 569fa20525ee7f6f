"""What can be launched, where, and for how much: images, instance types, offerings, Spot prices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from moto.ec2.models.instance_types import InstanceType
from moto.ec2.utils import generic_filter

from fleet.sandbox.cloud import prices
from fleet.sandbox.cloud.ec2 import catalog
from fleet.sandbox.cloud.ec2.answers import Answers
from fleet.sandbox.cloud.ec2.faults import Ec2Error, not_found
from fleet.sandbox.cloud.ec2.filters import glob_match

if TYPE_CHECKING:
    from moto.core.responses import ActionResult

_LINUX = ("Linux/UNIX", "Linux/UNIX (Amazon VPC)")
_SPOT_HORIZON = timedelta(days=90)


class KnownType(InstanceType):
    """A type with moto's filters, also where moto does not know it."""

    def __init__(self, described: dict[str, Any]) -> None:
        self.update(described)


class CatalogAnswers(Answers):
    """Actions that read what EC2 offers."""

    def describe_images(self) -> ActionResult:
        """Images by id, owner and filter; deprecated ones of others only where they are asked for."""
        self.error_on_dryrun()
        ids = self.parameters.get("ImageIds") or []
        backend = self.region_backend
        for image_id in ids:
            if image_id not in backend.amis:
                raise not_found("InvalidAMIID", image_id)
        owners = self.parameters.get("Owners") or []
        images: list[Any] = backend.describe_images(
            ami_ids=ids,
            filters=self.filters(),
            owners=owners,
            exec_users=self.parameters.get("ExecutableUsers"),
        )
        if ids:
            images = generic_filter(self.filters(), images)
        elif not self.parameters.get("IncludeDeprecated"):
            now = backend.state.now()
            images = [
                i for i in images if not i.deprecated(now) or i.owner_id == backend.account_id
            ]
        return self.page("Images", images, default=10_000)

    def describe_instance_types(self) -> ActionResult:
        """Types by name and filter; every name must exist."""
        self.error_on_dryrun()
        names = self.parameters.get("InstanceTypes") or sorted(catalog.instance_types())
        unknown = [name for name in names if catalog.instance_type(name) is None]
        if unknown:
            text = f"The following supplied instance types do not exist: [{', '.join(unknown)}]"
            raise Ec2Error("InvalidInstanceType", text)
        described = [KnownType(catalog.instance_types()[name]) for name in names]
        return self.page("InstanceTypes", generic_filter(self.filters(), described), default=100)

    def describe_instance_type_offerings(self) -> ActionResult:
        """Where types are offered; filters take wildcards."""
        self.error_on_dryrun()
        kind = self.parameters.get("LocationType") or "region"
        filters = self.filters()
        unknown = set(filters) - {"instance-type", "location"}
        if unknown:
            raise Ec2Error("InvalidParameterValue", f"The filter '{unknown.pop()}' is invalid")
        offerings = [
            {"InstanceType": name, "LocationType": kind, "Location": location}
            for name in sorted(catalog.instance_types())
            if _any_match(name, filters.get("instance-type"))
            for location in self._locations(kind, name)
            if _any_match(location, filters.get("location"))
        ]
        return self.page("InstanceTypeOfferings", offerings, default=1000)

    def _locations(self, kind: str, name: str) -> list[str]:
        zones = catalog.zones_offering(self.region, name)
        if kind == "region":
            return [self.region] if zones else []
        if kind == "availability-zone":
            return list(zones)
        if kind == "availability-zone-id":
            return [zone_id for zone in zones if (zone_id := self._zone_id(zone))]
        raise Ec2Error("InvalidParameterValue", f"Invalid value '{kind}' for LocationType.")

    def _zone_id(self, zone: str) -> str | None:
        found = self.region_backend.get_zone_by_name(zone)
        return None if found is None else found.zone_id

    def describe_spot_price_history(self) -> ActionResult:
        """The prices of the last 90 days, the newest first."""
        self.error_on_dryrun()
        products = self._wanted("ProductDescriptions", "product-description")
        if products and not any(_any_match(product, products) for product in _LINUX):
            return self.page("SpotPriceHistory", [], default=1000)
        history = sorted(self._spot_history(), key=lambda price: price.since, reverse=True)
        shown = [
            {
                "AvailabilityZone": price.availability_zone,
                "InstanceType": price.instance_type,
                "ProductDescription": "Linux/UNIX",
                "SpotPrice": f"{price.usd:.6f}",
                "Timestamp": price.since,
            }
            for price in history
        ]
        return self.page("SpotPriceHistory", shown, default=1000)

    def _wanted(self, parameter: str, filter_name: str) -> list[str]:
        """Values that come either as a parameter or as a filter."""
        values = self.parameters.get(parameter) or []
        listed = values if isinstance(values, list) else [values]
        return [*listed, *self.filters().get(filter_name, [])]

    def _spot_history(self) -> Iterator[prices.SpotPrice]:
        now = self.region_backend.state.now()
        end = min(_utc(self.parameters.get("EndTime")) or now, now)
        start = max(min(_utc(self.parameters.get("StartTime")) or end, end), now - _SPOT_HORIZON)
        types, zones = (
            self._wanted("InstanceTypes", "instance-type"),
            self._wanted("AvailabilityZone", "availability-zone"),
        )
        for name in sorted(catalog.instance_types()):
            if not _any_match(name, types):
                continue
            for zone in catalog.zones_offering(self.region, name):
                if _any_match(zone, zones):
                    yield from prices.spot_price_history(
                        name, zone, catalog.vcpus(name), start, end
                    )


def _any_match(value: str, patterns: list[str] | None) -> bool:
    return not patterns or any(glob_match(value, pattern) for pattern in patterns)


def _utc(value: object) -> datetime | None:
    if not isinstance(value, datetime):
        return None
    return value if value.tzinfo else value.replace(tzinfo=UTC)
