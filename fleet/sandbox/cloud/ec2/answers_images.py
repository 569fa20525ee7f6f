"""Images of the account's own: CreateImage, CopyImage, DeregisterImage."""

from __future__ import annotations

from typing import Any, cast

from moto.core.responses import ActionResult
from moto.ec2.models import ec2_backends
from moto.ec2.utils import random_ami_id

from fleet.sandbox.cloud.ec2.answers_image_attributes import ImageAttributeAnswers
from fleet.sandbox.cloud.ec2.backend import SandboxEc2
from fleet.sandbox.cloud.ec2.faults import Ec2Error, not_found, unavailable
from fleet.sandbox.cloud.ec2.image import Encryption, Making, SandboxImage
from fleet.sandbox.cloud.ec2.instance import SandboxInstance
from fleet.sandbox.cloud.ec2.spec import refuse_reserved_tags, tags_by_resource

Tags = dict[str, dict[str, str]]


class ImageAnswers(ImageAttributeAnswers):
    """Actions that make and remove images."""

    def create_image(self) -> ActionResult:
        """An image of the instance's root volume; the host is rebooted for it unless NoReboot says otherwise."""
        instance = self._instance(str(self.parameters.get("InstanceId")))
        name, tags = self._new_name(), self._tags()
        self.error_on_dryrun()
        device = instance.block_device_mapping[instance.root_device_name]
        image = self._made(
            name=name,
            tags=tags,
            size=device.size,
            encryption=self._encryption_of(device.volume_id),
            making=self._making(kept=False),
            description=str(self.parameters.get("Description") or ""),
            architecture=instance.architecture,
            root_device_name=instance.root_device_name,
            login_user=instance.host.user if instance.host else "",
        )
        image.instance_id = instance.id
        no_reboot = bool(self.parameters.get("NoReboot"))
        self.region_backend.lives.keep(instance, image, reboot=not no_reboot)
        return ActionResult({"ImageId": image.id})

    def copy_image(self) -> ActionResult:
        """An image of the account's own with the contents of another, also of another Region."""
        return ActionResult({"ImageId": self.once(self._copied).id})

    def _copied(self) -> SandboxImage:
        name, tags = self._new_name(), self._tags()
        image_id, region = self.parameters.get("SourceImageId"), self.parameters.get("SourceRegion")
        backend = cast("SandboxEc2", ec2_backends[self.current_account][str(region)])
        source = backend.amis.get(str(image_id))
        if not isinstance(source, SandboxImage):
            raise not_found("InvalidAMIID", str(image_id))
        if source.state != "available":
            raise unavailable(str(image_id))
        encryption = self._encryption_of_copy(source)
        self.error_on_dryrun()
        if self.parameters.get("CopyImageTags"):
            tags["image"] = {**backend.tags.get(source.id, {}), **tags.get("image", {})}
        return self._made(
            name=name,
            tags=tags,
            size=source.size,
            encryption=encryption,
            making=self._making(kept=True),
            description=str(self.parameters.get("Description") or source.description or ""),
            architecture=source.architecture,
            root_device_name=source.root_device_name,
            login_user=source.login_user,
            kept_disk=source.kept_disk,
        )

    def _encryption_of(self, volume_id: str) -> Encryption:
        volume = self.region_backend.volumes[volume_id]
        key = volume.kms_key_id if volume.encrypted else None
        own = key != self.region_backend.default_kms_key_id
        return Encryption(bool(volume.encrypted), key if own else None)

    def _encryption_of_copy(self, source: SandboxImage) -> Encryption:
        asked, key = self.parameters.get("Encrypted"), self.parameters.get("KmsKeyId")
        if key and not asked:
            text = "The parameter KmsKeyId requires the parameter Encrypted to be set."
            raise Ec2Error("InvalidParameterDependency", text)
        return Encryption(bool(asked) or source.encryption.encrypted, str(key) if key else None)

    def _making(self, *, kept: bool) -> Making:
        """How long it takes and how it ends, which faults have a say in."""
        state = self.region_backend.state
        slow = state.faults.met("slow-image", lambda _: True)
        fails = state.faults.met("image-fails", lambda _: True) is not None
        seconds = state.settings.pending_seconds
        if slow is None:
            return Making(seconds, kept=kept, fails=fails)
        late = slow.conditions.delay_seconds
        return Making(seconds, late=late, cleared=slow.cleared, kept=kept, fails=fails)

    def deregister_image(self) -> ActionResult:
        """The image goes; its snapshot goes with it where that is asked."""
        image = self.own_image()
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

    def register_image(self) -> ActionResult:
        """Refused: with what moto keeps of one nothing can be launched."""
        raise NotImplementedError("Images come from CreateImage and CopyImage.")

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

    def _made(self, *, tags: Tags, **made: Any) -> SandboxImage:
        backend = self.region_backend
        image = SandboxImage(
            backend,
            random_ami_id(),
            owner_id=self.current_account,
            image_location=f"{self.current_account}/{made['name']}",
            creation_date=backend.state.now(),
            **made,
        )
        backend.amis[image.id] = image
        image.add_tags(tags.get("image", {}))
        image.ebs_snapshot.add_tags(tags.get("snapshot", {}))
        return image
