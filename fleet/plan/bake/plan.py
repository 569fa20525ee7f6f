"""Plans a bake: its fleets of one, what the image is called and tagged, where one that broke off goes on. Pure."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Literal

from fleet.plan import tags
from fleet.plan.bake.scripts import Finding
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.choice import ChosenImage, parse_dlami_name
from fleet.plan.launch.plan import Plan
from fleet.plan.money import as_number
from fleet.plan.record.tokens import digest
from fleet.recipe.files import RecipeFiles
from fleet.recipe.model import Recipe
from fleet.spec.model import FleetSpec, ImageSelector, Member

BUILDER = "builder"
"""The one member of a bake's fleets."""
TRIAL_EXPIRES = timedelta(hours=2)
USUAL_SECONDS = 1200
"""Of a bake that nothing is known of: boot and bootstrap twice, a snapshot of some 30 GiB in use."""

Stage = Literal["fresh", "steps", "sealing", "sealed", "stale"]
"""How far a builder is. `sealing`: it may be half sanitised, and nobody can look; `stale`: it is of another recipe."""

_LONGEST_TAG = 255


@dataclass(frozen=True)
class BakePlan:
    """What a bake will do, decided. `digest` tells the content: recipe, its files and the base image.

    `builder` is the plan of the builder's fleet. `earlier` are the recipe's images in the region, the newest first;
    `same` is one with this very content that is not to be baked again. `expected_seconds` is as long as the last one
    took, where there is a last one. `raw_image` is the copy of an environment that the builder begins with, where it
    does; `anew` was asked for although the content is the same.
    """

    recipe: Recipe
    files: RecipeFiles
    digest: str
    builder: Plan
    stage: Stage
    earlier: tuple[ImageFact, ...]
    same: ImageFact | None
    expected_seconds: int
    expected_by: str
    raw_image: str | None = None
    anew: bool = False

    @property
    def base(self) -> ChosenImage:
        """The image that the builder begins with."""
        return self.builder.image

    @property
    def bakes_nothing(self) -> bool:
        """Whether an image of this very content has passed its try-out already."""
        return self.same is not None and self.same.tags.get(tags.STATUS) != tags.CANDIDATE

    @property
    def instances_usd(self) -> Decimal | None:
        """USD for the instances of a bake that takes as long as expected; None where a price is unknown."""
        hourly = self.builder.cost.hourly_at_most
        return None if hourly is None else hourly * self.expected_seconds / 3600

    @property
    def snapshot_usd(self) -> Decimal | None:
        """USD per month of 30 days for the image's snapshots in all its regions, at their full size: at most that."""
        rate = self.builder.observed.prices.rates.get("snapshot")
        places = 1 + len(self.recipe.output.copy_to)
        return None if rate is None else rate * self.builder.spec.volume.size_gib * places

    def as_json(self) -> dict[str, object]:
        """Give the settled JSON shape of `bake --dry-run`."""
        recipe, most = self.recipe, self.builder.hourly_usd_at_most
        return {
            "recipe": recipe.name,
            "region": self.builder.region,
            "digest": self.digest,
            "base_image": self.base.image_id,
            "base_name": self.base.name,
            "bakes": not self.bakes_nothing,
            "image_id": self.same.image_id if self.same else None,
            "builder": {
                "fleet": builder_fleet(recipe.name),
                "types": list(self.builder.spec.instances.types),
                "markets": list(self.builder.markets),
                "stage": self.stage,
            },
            "steps": [step.title for step in recipe.steps],
            "tests": [test.title for test in recipe.tests],
            "expected_seconds": self.expected_seconds,
            "hourly_usd": as_number(most),
            "instances_usd": as_number(self.instances_usd),
            "snapshot_monthly_usd": as_number(self.snapshot_usd),
            "warnings": list(self.builder.warnings),
        }


def builder_fleet(recipe: str) -> str:
    """Give the name of the fleet of one in which a recipe's images are made."""
    return f"bake-{recipe}"


def trial_fleet(recipe: str) -> str:
    """Give the name of the fleet of one in which a new image is tried."""
    return f"try-{recipe}"


def builder_spec(recipe: Recipe, *, raw_image: str | None = None) -> FleetSpec:
    """Give the spec of the builder; its volume is encrypted with the key that the image is to have.

    With `raw_image` it begins with that copy of an environment instead of the recipe's base.
    """
    builder = recipe.builder
    volume = builder.volume
    if recipe.kms_key != volume.kms_key:
        volume = volume.model_copy(update={"kms_key": recipe.kms_key})
    return FleetSpec(
        name=builder_fleet(recipe.name),
        region=recipe.region,
        members=(Member(name=BUILDER),),
        image=ImageSelector(id=raw_image) if raw_image else recipe.image,
        instances=builder.instances,
        volume=volume,
        access=builder.access,
        expires=builder.expires,
    )


def trial_spec(recipe: Recipe, image_id: str) -> FleetSpec:
    """Give the spec of the instance that a new image is tried on."""
    builder = builder_spec(recipe, raw_image=image_id)
    return builder.model_copy(
        update={
            "name": trial_fleet(recipe.name),
            "expires": min(TRIAL_EXPIRES, recipe.builder.expires),
        }
    )


def content_digest(recipe: Recipe, files: RecipeFiles, base_image: str) -> str:
    """Tell the content of an image: 12 hex digits."""
    return digest(recipe.digest(), files.digest, base_image)[:12]


def stage_of(builder: InstanceFact | None, content: str) -> Stage:
    """Say how far a builder is, by the tag that was put before each stage began."""
    if builder is None:
        return "fresh"
    told, _, stage = builder.tags.get(tags.BAKE_STAGE, "").partition(":")
    if not told:
        return "fresh"
    if told != content:
        return "stale"
    return "sealed" if stage == "sealed" else "sealing" if stage == "sealing" else "steps"


def stage_tag(content: str, stage: Stage) -> dict[str, str]:
    """Give the tag that says how far a builder is."""
    return {tags.BAKE_STAGE: f"{content}:{stage}"}


def image_name(recipe: Recipe, content: str, *, begun_at: datetime) -> str:
    """Fill in the name. The time is that of the builder's launch, so that a bake that is run again finds its image."""
    return recipe.image_name(made_at=begun_at.astimezone(UTC), digest=content)


def image_tags(plan: BakePlan, *, name: str, base: ImageFact | None) -> dict[str, str]:
    """Give the tags that a new image and its snapshots carry from the call that makes them.

    `base` is what the recipe's base image is called, or the environment's that it is made of. There is no fleet's name
    among them: an image outlives the fleet that it was made in.
    """
    framework = plan.base.framework
    return {
        "Name": name,
        tags.MANAGED_BY: tags.MAKER,
        tags.RECIPE: plan.recipe.name,
        tags.RECIPE_DIGEST: plan.digest,
        tags.BASE_IMAGE: base.image_id if base else plan.base.image_id,
        tags.BASE_NAME: (base.name if base else plan.base.name)[:_LONGEST_TAG],
        tags.LOGIN_USER: plan.base.user,
        tags.STATUS: tags.CANDIDATE,
        **({tags.FRAMEWORK: framework} if framework else {}),
    }


def objections(recipe: Recipe, findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Give the findings of a scan that the recipe does not allow."""
    allowed = [_as_paths(pattern) for pattern in recipe.scan.allow]
    return tuple(
        one for one in findings if not any(pattern.fullmatch(one.path) for pattern in allowed)
    )


def _as_paths(pattern: str) -> re.Pattern[str]:
    """Give what matches the same paths as a shell's pattern; `*` goes over slashes, `~` is anybody's home."""
    below_home = pattern.startswith("~/")
    glob = re.compile(fnmatch.translate(pattern[2:] if below_home else pattern))
    return re.compile(rf"(?:/root|.*/home/[^/]+)/{glob.pattern}") if below_home else glob


def framework_of(image: ImageFact) -> str | None:
    """Say which framework an image is for: its tag, else its name, where AWS published it."""
    name = parse_dlami_name(image.name)
    return image.tags.get(tags.FRAMEWORK) or (name.framework if name else None)


def image_of(images: Sequence[ImageFact], content: str, *, begun: str | None) -> ImageFact | None:
    """Choose the image of a content that a bake goes on with, or that makes one needless; None where one is to be made.

    `begun` is the name of the image that the standing builder makes: while there is a builder, only that one counts.
    """
    fitting = [image for image in images if image.tags.get(tags.RECIPE_DIGEST) == content]
    if begun is not None:
        fitting = [image for image in fitting if image.name == begun]
    usable = [image for image in fitting if image.state in {"available", "pending"}]
    tested = [image for image in usable if image.tags.get(tags.STATUS) != tags.CANDIDATE]
    return max(tested or usable, key=lambda image: image.created_at, default=None)


def expected(images: Sequence[ImageFact]) -> tuple[int, str]:
    """Say how many seconds a bake takes, and by what that is known."""
    told: Mapping[datetime, str] = {
        image.created_at: image.tags[tags.BAKED_SECONDS]
        for image in images
        if image.tags.get(tags.BAKED_SECONDS, "").isdigit()
    }
    if not told:
        return USUAL_SECONDS, "as bakes usually take"
    return int(told[max(told)]), "as long as the last one took"
