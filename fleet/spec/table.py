"""What a spec's file looks like: the keys as the models say them, and the words around them."""

from __future__ import annotations

from fleet.spec.forms import Table
from fleet.spec.keys import keys_of
from fleet.spec.model import FleetSpec

SPEC_FILE = Table(
    root=keys_of(FleetSpec),
    title="fleet spec",
    about="A team's deep-learning environments on EC2, one for each member.",
    urn="urn:fleet:spec",
    newcomer="begin with a copy of examples/workshop.yaml",
    # What people write who come from other tools.
    synonyms={
        "ami": "image",
        "cidrs": "from",
        "bastion": "via",
        "disk": "volume",
        "duration": "expires",
        "iam_instance_profile": "profile",
        "instance_profile": "profile",
        "instance_type": "instances",
        "instance_types": "types",
        "lifetime": "expires",
        "min_ready": "min",
        "pip": "packages",
        "size_gib": "size",
        "subnet": "subnets",
        "sources": "from",
        "students": "members",
        "ttl": "expires",
        "users": "members",
        "vpc_id": "vpc",
    },
)
