"""The launch template of a fleet: what its instances are launched with. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fleet.errors import FleetError
from fleet.plan import tags
from fleet.plan.access_path import access_path_of
from fleet.plan.environment.bootstrap import LaunchTexts, render_first_boot
from fleet.plan.hardware.pools import MARKETS
from fleet.plan.images.choice import ChosenImage
from fleet.plan.record.tokens import digest
from fleet.spec.model import FleetSpec, Volume


@dataclass(frozen=True)
class LaunchTemplate:
    """What an instance is launched with, apart from type, zone and security group.

    `public` says whether it gets a public address, whatever its subnet's own setting is; `profile` is
    the name or ARN of an instance profile.
    """

    name: str
    image_id: str
    root_device: str
    volume: Volume
    key_name: str
    user_data: str
    instance_tags: tuple[tuple[str, str], ...]
    terminate_on_shutdown: bool
    public: bool = True
    profile: str | None = None

    @property
    def digest(self) -> str:
        """Identify the content, so that an unchanged template is left alone."""
        return digest(self.__dict__ | {"volume": self.volume.model_dump(mode="json")})


def require_room(volume: Volume, image: ChosenImage) -> None:
    """Refuse a volume that the image does not fit on."""
    if volume.size_gib < image.root_size_gib:
        raise FleetError(
            f"volume.size {volume.size_gib}GiB is smaller than the image's {image.root_size_gib}GiB",
            remedy=f"write size: {image.root_size_gib}GiB or more",
        )


def launch_template(
    spec: FleetSpec, image: ChosenImage, texts: LaunchTexts, *, expires_at: datetime | None
) -> LaunchTemplate:
    """Give the launch template of a spec."""
    name = tags.resource_name(spec.name)
    return LaunchTemplate(
        name=name,
        image_id=image.image_id,
        root_device=image.root_device,
        volume=spec.volume,
        key_name=name,
        user_data=render_first_boot(texts.first_boot, fleet=spec.name, expires_at=expires_at),
        instance_tags=tuple(sorted(_instance_tags(spec, image, expires_at).items())),
        terminate_on_shutdown=_ends_by_itself(spec, expires_at),
        public=spec.access.public,
        profile=spec.instances.profile,
    )


def _instance_tags(
    spec: FleetSpec, image: ChosenImage, expires_at: datetime | None
) -> dict[str, str]:
    instance_tags = tags.fleet_tags(
        spec.name, spec_digest=spec.digest(), expires_at=tags.expiry_text(expires_at)
    )
    instance_tags[tags.LOGIN_USER] = image.user
    if spec.access.via is not None:
        instance_tags[tags.VIA] = access_path_of(spec.access).text
    if spec.tls == "none":
        instance_tags[tags.TLS] = tags.NO_TLS
    return instance_tags


def _ends_by_itself(spec: FleetSpec, expires_at: datetime | None) -> bool:
    """Whether powering off has to end the bill: nobody starts again what switched itself off, or what EC2 took."""
    timed = expires_at is not None or spec.idle is not None
    return timed or "spot" in MARKETS[spec.instances.market]
