"""What a default VPC is made of besides its subnets: an internet gateway, and a route to it."""

from __future__ import annotations

from typing import Any

EVERYWHERE = "0.0.0.0/0"


def open_to_the_internet(backend: Any, vpc: Any) -> None:
    """Give a VPC what makes its subnets public ones (VPC user guide, "Default VPC components")."""
    gateway = backend.create_internet_gateway()
    backend.attach_internet_gateway(gateway.id, vpc.id)
    (main,) = backend.describe_route_tables(
        filters={"vpc-id": [vpc.id], "association.main": ["true"]}
    )
    backend.create_route(main.id, EVERYWHERE, gateway_id=gateway.id)
