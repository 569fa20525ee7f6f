"""Baked images for the tests of what is decided about them."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

from fleet.plan import tags
from fleet.plan.facts.images import ImageFact
from tests.plan.worlds import NOW

__all__ = ["NOW", "baked"]

BASE = "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.13 (Ubuntu 24.04) 20260701"


def baked(
    name: str,
    *,
    days: int = 0,
    status: str = tags.CANDIDATE,
    promoted: int | None = None,
    **changes: object,
) -> ImageFact:
    """An image of the recipe that its name begins with, so many days old, promoted so many days ago."""
    told = {
        tags.MANAGED_BY: tags.MAKER,
        tags.RECIPE: name.rpartition("-")[0],
        tags.RECIPE_DIGEST: "0123456789ab",
        tags.STATUS: status,
        tags.BASE_IMAGE: "ami-0123456789abcdef0",
        tags.BASE_NAME: BASE,
        tags.LOGIN_USER: "ubuntu",
        tags.FRAMEWORK: "pytorch",
    }
    if promoted is not None:
        told[tags.PROMOTED_AT] = tags.expiry_text(NOW - timedelta(days=promoted))
    image = ImageFact(
        image_id=f"ami-{name}",
        name=name,
        owner_id="123456789012",
        architecture="x86_64",
        created_at=NOW - timedelta(days=days),
        root_device="/dev/sda1",
        root_size_gib=50,
        state="available",
        tags=told,
    )
    return dataclasses.replace(image, **changes)  # type: ignore[arg-type]
