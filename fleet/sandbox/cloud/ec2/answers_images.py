"""Images of the account's own: CreateImage, CopyImage, DeregisterImage, deprecation.

moto 5.2.5 allows two images of one name, refuses tags on snapshots, drops the tags of a copy, keeps snapshots whatever
is asked, and knows no deprecation.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.utils import random_ami_id

from fleet.sandbox.cloud.ec2.answers import Answers
from fleet.sandbox.cloud.ec2.backend import SandboxEc2
from fleet.sandbox.cloud.ec2.faults import Ec2Error, not_found, unavailable
from fleet.sandbox.cloud.ec2.images import SandboxImage
from fleet.sandbox.cloud.ec2.instance import SandboxInstance
from fleet.sandbox.cloud.ec2.spec import refuse_reserved_tags, tags_by_resource

Tags = dict[str, dict[str, str]]


class ImageAnswers(Answers):
    """Actions that make and remove images."""

    def create_image(self) -> ActionResult:
        """An image of the instance's root volume; the host is rebooted for it unless NoReboot says otherwise."""
        instance = self._instance(str(self.parameters.get("InstanceId")))
        name, tags = self._new_name(), self._tags()
        self.error_on_dryrun()
        source = cast("SandboxImage", self.region_backend.amis[instance.image_id])
        size = max(device.size for device in instance.block_device_mapping.values())
        description = str(self.parameters.get("Description") or "")
        image = self._keep(source, name=name, description=description, size=size, tags=tags)
        image.instance_id, image.state = instance.id, "pending"
        no_reboot = bool(self.parameters.get("NoReboot"))
        self.region_backend.lives.keep(instance, image, reboot=not no_reboot)
        return ActionResult({"ImageId": image.id})

    def copy_image(self) -> ActionResult:
        """An image of the account's own with the contents of another, also of another Region."""
        name, tags = self._new_name(), self._tags()
        image_id, region = self.parameters.get("SourceImageId"), self.parameters.get("SourceRegion")
        backend = cast("SandboxEc2", ec2_backends[self.current_account][str(region)])
        source = backend.amis.get(str(image_id))
        if not isinstance(source, SandboxImage):
            raise not_found("InvalidAMIID", str(image_id))
        if source.state != "available":
            raise unavailable(str(image_id))
        self.error_on_dryrun()
        if self.parameters.get("CopyImageTags"):
            tags["image"] = {**backend.tags.get(source.id, {}), **tags.get("image", {})}
        description = str(self.parameters.get("Description") or source.description or "")
        image = self._keep(source, name=name, description=description, size=source.size, tags=tags)
        return ActionResult({"ImageId": image.id})

    def deregister_image(self) -> ActionResult:
        """The image goes; its snapshot goes with it where that is asked."""
        image = self._image()
        if image.owner_id != self.current_account:
            raise Ec2Error("AuthFailure", f"Not authorized for image: {image.id}")
        self.error_on_dryrun()
        self.region_backend.amis.pop(image.id)
        self.region_backend.tags.pop(image.id, None)
        results = []
        if self.parameters.get("DeleteAssociatedSnapshots"):
            self.region_backend.snapshots.pop(image.ebs_snapshot.id, None)
            results.append({"SnapshotId": image.ebs_snapshot.id, "ReturnCode": "success"})
        self._forget_disk(image.kept_disk)
        return ActionResult({"Return": True, "DeleteSnapshotResults": results})

    def _forget_disk(self, kept_disk: str) -> None:
        """Let the driver forget a disk that no image of any Region begins with any more."""
        regions = ec2_backends[self.current_account].values()
        images = (cast("SandboxImage", i) for region in regions for i in region.amis.values())
        if kept_disk and all(image.kept_disk != kept_disk for image in images):
            self.region_backend.state.driver.forget(kept_disk)

    def enable_image_deprecation(self) -> ActionResult:
        """The image is left out of descriptions from the time on, but can still be launched."""
        image, when = self._image(), self.parameters.get("DeprecateAt")
        self.error_on_dryrun()
        if not isinstance(when, datetime):
            raise Ec2Error("MissingParameter", "The request must contain the parameter DeprecateAt")
        image.deprecates_at = when if when.tzinfo else when.replace(tzinfo=UTC)
        return ActionResult({"Return": True})

    def disable_image_deprecation(self) -> ActionResult:
        """The image is described again."""
        image = self._image()
        self.error_on_dryrun()
        image.deprecates_at = None
        return ActionResult({"Return": True})

    def register_image(self) -> ActionResult:
        """moto keeps only the name, with which nothing can be launched."""
        raise NotImplementedError("Images come from CreateImage and CopyImage.")

    def _image(self) -> SandboxImage:
        image_id = str(self.parameters.get("ImageId"))
        image = self.region_backend.amis.get(image_id)
        if not isinstance(image, SandboxImage):
            raise not_found("InvalidAMIID", image_id)
        return image

    def _instance(self, instance_id: str) -> SandboxInstance:
        instance = self.region_backend.instance_by_id(instance_id)
        if instance is None:
            raise not_found("InvalidInstanceID", instance_id)
        if instance.state not in {"running", "stopped"}:
            text = f"The instance '{instance_id}' is not in the 'running' or 'stopped' state."
            raise Ec2Error("IncorrectState", text)
        return instance

    def _new_name(self) -> str:
        name = str(self.parameters.get("Name") or "")
        if not 3 <= len(name) <= 128:
            raise Ec2Error(
                "InvalidAMIName.Malformed", "AMI names must be between 3 and 128 characters long."
            )
        mine = [i for i in self.region_backend.amis.values() if i.owner_id == self.current_account]
        taken = next((image for image in mine if image.name == name), None)
        if taken is not None:
            raise Ec2Error(
                "InvalidAMIName.Duplicate", f"AMI name {name} is already in use by AMI {taken.id}"
            )
        return name

    def _tags(self) -> Tags:
        tags = tags_by_resource(self.parameters.get("TagSpecifications") or [])
        refuse_reserved_tags(key for of_type in tags.values() for key in of_type)
        wrong = next((kind for kind in tags if kind not in {"image", "snapshot"}), None)
        if wrong is not None:
            text = f"'{wrong}' is not a valid taggable resource type for this operation."
            raise Ec2Error("InvalidParameterValue", text)
        return tags

    def _keep(self, source: SandboxImage, **made: Any) -> SandboxImage:
        tags: Tags = made.pop("tags")
        backend = self.region_backend
        image = SandboxImage(
            backend,
            random_ami_id(),
            login_user=source.login_user,
            owner_id=self.current_account,
            image_location=f"{self.current_account}/{made['name']}",
            architecture=source.architecture,
            root_device_name=source.root_device_name,
            creation_date=backend.state.now(),
            kept_disk=source.kept_disk,
            available_after=backend.state.settings.pending_seconds,
            **made,
        )
        backend.amis[image.id] = image
        image.add_tags(tags.get("image", {}))
        image.ebs_snapshot.add_tags(tags.get("snapshot", {}))
        return image
