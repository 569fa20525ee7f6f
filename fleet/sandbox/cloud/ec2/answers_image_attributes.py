"""What can be changed about images of the account's own: who may launch them, and from when on they are old."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from moto.core.responses import ActionResult
from moto.ec2.responses.amis import AmisResponse

from fleet.sandbox.cloud.ec2.answers import Answers
from fleet.sandbox.cloud.ec2.faults import Ec2Error, not_found, unavailable
from fleet.sandbox.cloud.ec2.image import SandboxImage

_LATEST = timedelta(days=3650)
"""EC2 takes a time of deprecation up to ten years from now."""


class ImageAttributeAnswers(Answers, AmisResponse):
    """Actions that change or describe an attribute of an image."""

    def modify_image_attribute(self) -> ActionResult:
        """Share an image, or no longer. One that is encrypted with EBS's own key cannot be shared."""
        image = self._whole_image()
        added = (self.parameters.get("LaunchPermission") or {}).get("Add")
        if added and image.encryption.encrypted and image.encryption.kms_key is None:
            text = (
                "Snapshots encrypted with the AWS Managed CMK can't be shared. Specify another "
                "snapshot."
            )
            raise Ec2Error("InvalidParameter", text)
        return super().modify_image_attribute()

    def describe_image_attribute(self) -> ActionResult:
        """Only of the account's own images."""
        self.own_image()
        self.error_on_dryrun()
        return super().describe_image_attribute()

    def enable_image_deprecation(self) -> ActionResult:
        """The image is left out of descriptions from the time on, but can still be launched."""
        image, when = self._whole_image(), self.parameters.get("DeprecateAt")
        self.error_on_dryrun()
        if not isinstance(when, datetime):
            raise Ec2Error("MissingParameter", "The request must contain the parameter DeprecateAt")
        at = when if when.tzinfo else when.replace(tzinfo=UTC)
        now = self.region_backend.state.now()
        if not now < at <= now + _LATEST:
            text = "DeprecateAt must be in the future and at most 10 years from now."
            raise Ec2Error("InvalidParameterValue", text)
        image.deprecates_at = at.replace(second=0, microsecond=0) + timedelta(
            minutes=1 if at.second >= 30 else 0
        )
        return ActionResult({"Return": True})

    def disable_image_deprecation(self) -> ActionResult:
        """The image is described again."""
        image = self.own_image()
        self.error_on_dryrun()
        image.deprecates_at = None
        return ActionResult({"Return": True})

    def own_image(self) -> SandboxImage:
        """The image that the call names, which must be the account's own."""
        image_id = str(self.parameters.get("ImageId"))
        image = self.region_backend.amis.get(image_id)
        if not isinstance(image, SandboxImage):
            raise not_found("InvalidAMIID", image_id)
        if image.owner_id != self.current_account:
            raise Ec2Error("AuthFailure", f"Not authorized for image: {image.id}")
        return image

    def _whole_image(self) -> SandboxImage:
        image = self.own_image()
        if image.state != "available":
            raise unavailable(image.id)
        return image
