"""Facts: AMIs, images on their way, and snapshots."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class ImageFact:
    """An AMI as DescribeImages gives it. `root_size_gib` is the size of its root snapshot.

    `tags` and `snapshot_ids` are known of the account's own images; `state_reason` says why one is `failed`.
    """

    image_id: str
    name: str
    owner_id: str
    architecture: str
    created_at: datetime
    root_device: str
    root_size_gib: int
    state: str
    description: str = ""
    deprecated_at: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)
    snapshot_ids: tuple[str, ...] = ()
    encrypted: bool = False
    state_reason: str = ""


@dataclass(frozen=True)
class ImageProgress:
    """How far EC2 is with an image. `percent` is its snapshots' and None while EC2 says nothing of it.

    `state` is EC2's: pending, available, failed, and others; `reason` says why an image is `failed`.
    """

    state: str
    percent: int | None = None
    reason: str = ""
    snapshot_ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class SnapshotFact:
    """A snapshot of a baked image, or of one that was. `state` is EC2's; `recipe` is what its tag says."""

    snapshot_id: str
    recipe: str
    size_gib: int
    state: str
