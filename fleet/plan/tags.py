"""Names and tags of a fleet's resources. EC2 tags are the record: no local file is needed to find a fleet."""

from __future__ import annotations

from datetime import UTC, datetime

FLEET = "fleet:name"
MEMBER = "fleet:member"
EXPIRES_AT = "fleet:expires-at"
SPEC = "fleet:spec"
HOST_KEY = "fleet:host-key"
LOGIN_USER = "fleet:login-user"
ACCOUNT = "fleet:account"
VIA = "fleet:via"
TLS = "fleet:tls"
BOOTSTRAP = "fleet:bootstrap"
PROOF = "fleet:proof"
TOKEN_GENERATION = "fleet:token-generation"  # noqa: S105 - the name of a tag, not a secret
TOKEN_ON_HOST = "fleet:token-on-host"  # noqa: S105 - a tag too: the generation that the host was told last
HOURLY_USD = "fleet:hourly-usd"
STATUS = "fleet:status"
BAKE_STAGE = "fleet:bake"
"""On a builder: the digest of what is baked, and how far that is. Put before each stage begins."""
BAKE_SOURCE = "fleet:source"
"""On a raw copy of an environment's disk: the instance that it is of."""
KEPT = "fleet:kept"
MANAGED_BY = "fleet:managed-by"

RECIPE = "fleet:recipe"
"""Name of the recipe that an image was baked from; on images and their snapshots, as all down to BAKED_SECONDS."""
RECIPE_DIGEST = "fleet:recipe-digest"
BASE_IMAGE = "fleet:base-image"
BASE_NAME = "fleet:base-name"
PROMOTED_AT = "fleet:promoted-at"
FRAMEWORK = "fleet:framework"
BAKED_SECONDS = "fleet:baked-in"

MAKER = "dl-fleet"
"""Value of MANAGED_BY on all that we make, set in the creating call. A fleet's name alone can be anybody's tag."""
CANDIDATE = "candidate"
"""Value of STATUS on a baked image that was not tried yet, or failed: never chosen by a recipe's name."""
STABLE = "stable"
"""Value of STATUS on an image that passed its tests; an image without it is a bake that did not end."""
SUPERSEDED = "superseded"
"""Value of STATUS on an image that was stable until another one of its recipe was promoted."""

OWN_TLS = "ca"
"""Value of TLS where certificates are of the fleet's own authority, as they are where there is no such tag."""
NO_TLS = "none"
"""Value of TLS where services speak plain HTTP, which only a tunnel reaches."""

NEVER = "never"
PARAMETER_ROOT = "/fleet"
MANIFEST_ROOT = "/fleet-images"
"""Beside PARAMETER_ROOT and not below it, where everything is taken for a fleet's."""


def resource_name(fleet: str) -> str:
    """Give the name that the fleet's security group, key pair and launch template share."""
    return f"fleet-{fleet}"


def parameter_path(fleet: str) -> str:
    """Give the Parameter Store path below which the fleet's secrets live."""
    return f"{PARAMETER_ROOT}/{fleet}"


def fleet_of_parameter(name: str) -> str:
    """Give the fleet that a parameter's full name belongs to."""
    return name.removeprefix(f"{PARAMETER_ROOT}/").split("/", 1)[0]


def lease_path(fleet: str) -> str:
    """Give the Parameter Store path below which the leases on the fleet live."""
    return f"{parameter_path(fleet)}/lease"


def notes_path(fleet: str) -> str:
    """Give the Parameter Store path below which notes on the fleet live that are no secrets."""
    return f"{parameter_path(fleet)}/notes"


def manifest_path(image_id: str) -> str:
    """Give the Parameter Store path below which the parts of an image's manifest live."""
    return f"{MANIFEST_ROOT}/{image_id}/manifest"


def expiry_text(expires_at: datetime | None) -> str:
    """Write an expiry as it stands in a tag: UTC, to the second, or `never`."""
    if expires_at is None:
        return NEVER
    return expires_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def parse_expiry(text: str | None) -> datetime | None:
    """Read an expiry from a tag; None for `never`, for no tag and for what is not a time."""
    if not text or text == NEVER:
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def fleet_tags(
    fleet: str, *, spec_digest: str | None = None, expires_at: str | None = None
) -> dict[str, str]:
    """Give the tags that every resource of the fleet carries from the call that makes it."""
    tags = {"Name": resource_name(fleet), FLEET: fleet, MANAGED_BY: MAKER}
    if spec_digest is not None:
        tags[SPEC] = spec_digest
    if expires_at is not None:
        tags[EXPIRES_AT] = expires_at
    return tags
