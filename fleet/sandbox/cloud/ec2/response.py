"""The EC2 service as moto dispatches to it: moto's actions with the sandbox's in front."""

from __future__ import annotations

from typing import TYPE_CHECKING

from moto.core.responses import ActionResult
from moto.ec2.exceptions import DryRunClientError
from moto.ec2.responses import EC2Response

from fleet.sandbox.cloud.ec2.answers_catalog import CatalogAnswers
from fleet.sandbox.cloud.ec2.answers_fleets import FleetAnswers
from fleet.sandbox.cloud.ec2.answers_images import ImageAnswers
from fleet.sandbox.cloud.ec2.answers_instances import InstanceAnswers
from fleet.sandbox.cloud.ec2.answers_keys import KeyAnswers
from fleet.sandbox.cloud.ec2.answers_placement import PlacementAnswers
from fleet.sandbox.cloud.ec2.answers_regions import RegionAnswers
from fleet.sandbox.cloud.ec2.answers_storage import StorageAnswers
from fleet.sandbox.cloud.ec2.answers_templates import TemplateAnswers
from fleet.sandbox.cloud.ec2.spec import refuse_reserved_tags

if TYPE_CHECKING:
    from moto.core.common_types import TYPE_RESPONSE


class SandboxEc2Response(
    InstanceAnswers,
    FleetAnswers,
    TemplateAnswers,
    CatalogAnswers,
    ImageAnswers,
    StorageAnswers,
    RegionAnswers,
    KeyAnswers,
    PlacementAnswers,
    EC2Response,
):
    """Every EC2 action."""

    def create_tags(self) -> ActionResult:
        """Refuse keys that belong to AWS."""
        refuse_reserved_tags(tag.get("Key", "") for tag in self.parameters.get("Tags") or [])
        return super().create_tags()

    def call_action(self) -> TYPE_RESPONSE:
        """A dry run of a description ends here: moto carries some out."""
        if self.parameters.get("DryRun") and self._get_action().startswith(("Describe", "Get")):
            return self.serialized(ActionResult(DryRunClientError()))
        return super().call_action()
