"""Baked images in a served cloud whose hosts boot nothing, as a bake leaves them."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from fleet.aws.manifests import write_manifest
from fleet.aws.own_images import create_image, describe_progress, describe_recipe_images
from fleet.aws.snapshots import describe_recipe_snapshots
from fleet.plan import tags
from fleet.plan.bake.manifest import pack
from fleet.plan.facts.images import ImageFact
from fleet.plan.images.lineage import lineage_of
from fleet.workflows.bake import amis
from fleet.workflows.bake.ami_copies import copy_each
from fleet.workflows.context import Context
from fleet.workflows.images.lineage import find_image, in_region
from tests.aws.conftest import Region
from tests.sandbox.cloud import asking
from tests.sandbox.cloud.recording import Served, eventually
from tests.workflows import runs

KEY = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
BASE = "Deep Learning OSS Nvidia Driver AMI GPU PyTorch 2.13 (Ubuntu 24.04) 20260701"
MANIFEST = (
    '{"system":"Ubuntu 24.04","used_mib":41230,"apt":{"git":["1:2.43",21000]},"rpm":{},'
    '"environments":{"/opt/pytorch":{"torch":["2.13.0",2100000]}}}'
)


@dataclass
class Shelf:
    """A region with baked images, all made of one instance whose volume has a key of the account's own."""

    served: Served
    context: Context
    region: Region = field(init=False)
    instance_id: str = field(init=False)
    _begun_at: int = 0

    def __post_init__(self) -> None:
        self.region = Region(self.served, self.context.aws)
        self.instance_id = self.region.launched(key=KEY)["InstanceId"]

    def unencrypted(self) -> None:
        """Make images of an instance without encryption from now on."""
        (made,) = self.served.ec2.run_instances(
            ImageId=asking.image_id(self.served), InstanceType="t3.medium", MinCount=1, MaxCount=1
        )["Instances"]
        self.instance_id = made["InstanceId"]
        eventually(
            lambda: self.region.instance(self.instance_id)["State"]["Name"],
            lambda state: bool(state == "running"),
        )

    def begin(self, name: str, **told: str) -> str:
        """Have an image begun, of the recipe that its name begins with; gives its id."""
        self._await_another_second()
        recipe = name.rpartition("-")[0]
        values = {
            "Name": name,
            tags.MANAGED_BY: tags.MAKER,
            tags.RECIPE: recipe,
            tags.RECIPE_DIGEST: "0123456789ab",
            tags.STATUS: tags.CANDIDATE,
            tags.BASE_IMAGE: "ami-0123456789abcdef0",
            tags.BASE_NAME: BASE,
            tags.LOGIN_USER: "ubuntu",
            tags.FRAMEWORK: "pytorch",
            tags.BAKED_SECONDS: "1080",
        }
        return create_image(
            self.context.aws,
            instance_id=self.instance_id,
            name=name,
            description="of a test",
            tags={**values, **told},
            no_reboot=True,
        )

    def _await_another_second(self) -> None:
        """EC2 tells an image's age in seconds: two of the same second are as old as each other."""
        while (now := int(time.time())) == self._begun_at:
            time.sleep(0.05)
        self._begun_at = now

    def candidate(self, name: str, *, manifest: str = MANIFEST, **told: str) -> str:
        """Make a candidate, with its manifest; gives its id."""
        image_id = self.begin(name, **told)
        self.settled(image_id)
        if manifest:
            mark = {tags.MANAGED_BY: tags.MAKER}
            write_manifest(self.context.aws, image_id=image_id, parts=pack(manifest), tags=mark)
        return image_id

    def stable(self, name: str, *, manifest: str = MANIFEST) -> str:
        """Make an image and promote it; gives its id."""
        image_id = self.candidate(name, manifest=manifest)
        amis.promote(self.context, image_id)
        return image_id

    def settled(self, image_id: str) -> str:
        """Wait until EC2 is done with an image; gives its state."""
        return eventually(
            lambda: describe_progress(self.context.aws, image_id=image_id).state,
            lambda state: state not in {"", "pending"},
        )

    def image(self, image_id: str) -> ImageFact:
        return find_image(self.context, image_id)

    def statuses(self, region: str = "us-east-1", recipe: str = "team") -> Mapping[str, str]:
        """What each image of a recipe is, by its name."""
        aws = in_region(self.context, region).aws
        lineage = lineage_of(recipe, describe_recipe_images(aws, recipe=recipe))
        return {image.name: lineage.status(image) for image in reversed(lineage.images)}

    def told(self, region: str = "us-east-1", recipe: str = "team") -> Mapping[str, str]:
        """What the tag says of each image, by its name."""
        aws = in_region(self.context, region).aws
        found = describe_recipe_images(aws, recipe=recipe)
        return {image.name: image.tags[tags.STATUS] for image in found}

    def snapshots(self, region: str = "us-east-1") -> set[str]:
        aws = in_region(self.context, region).aws
        return {one.snapshot_id for one in describe_recipe_snapshots(aws, recipe=None)}

    def parameters(self, region: str = "us-east-1") -> list[str]:
        """The images whose manifests are kept."""
        ssm = self.served.client("ssm", region=region)
        found = ssm.get_parameters_by_path(Path=tags.MANIFEST_ROOT, Recursive=True)["Parameters"]
        return sorted({one["Name"].split("/")[2] for one in found})


def _context(url: str, cache: str) -> Context:
    os.environ["AWS_ENDPOINT_URL"] = url
    return runs.context_over(url, Path(cache), session=runs.warm_session())


def prune(url: str, cache: str, keep: str) -> None:
    """Prune the recipe `team`, in a process of its own."""
    amis.prune(_context(url, cache), "team", int(keep))


def promote(url: str, cache: str, image_id: str) -> None:
    """Promote an image, in a process of its own."""
    amis.promote(_context(url, cache), image_id)


def copy(url: str, cache: str, image_id: str) -> None:
    """Copy an image to another region, in a process of its own."""
    context = _context(url, cache)
    (copied,) = copy_each(context, find_image(context, image_id), ["eu-west-1"], encrypted=True)
    assert not copied.trouble, copied.trouble
