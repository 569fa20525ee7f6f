"""Names and tags of a fleet's resources. EC2 tags are the record: no local file is needed to find a fleet."""

from __future__ import annotations

from datetime import UTC, datetime

FLEET = "fleet:name"
MEMBER = "fleet:member"
EXPIRES_AT = "fleet:expires-at"
SPEC = "fleet:spec"
HOST_KEY = "fleet:host-key"
LOGIN_USER = "fleet:login-user"
BOOTSTRAP = "fleet:bootstrap"
TOKEN_GENERATION = "fleet:token-generation"  # noqa: S105 - the name of a tag, not a secret
HOURLY_USD = "fleet:hourly-usd"

NEVER = "never"


def resource_name(fleet: str) -> str:
    """Give the name that the fleet's security group, key pair and launch template share."""
    return f"fleet-{fleet}"


def parameter_path(fleet: str) -> str:
    """Give the Parameter Store path below which the fleet's secrets live."""
    return f"/fleet/{fleet}"


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
    tags = {"Name": resource_name(fleet), FLEET: fleet}
    if spec_digest is not None:
        tags[SPEC] = spec_digest
    if expires_at is not None:
        tags[EXPIRES_AT] = expires_at
    return tags
