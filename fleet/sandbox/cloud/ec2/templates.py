"""Launch templates of one Region: lookups with EC2's errors, and their descriptions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from moto.ec2.models import EC2Backend

from fleet.sandbox.cloud.ec2.faults import Ec2Error

if TYPE_CHECKING:
    from fleet.sandbox.cloud.ec2.spec import Data


class Templates(EC2Backend):
    """A mixin over moto's backend."""

    def template(self, reference: Data) -> Any:
        """The template that LaunchTemplateId or LaunchTemplateName names."""
        template_id, name = reference.get("LaunchTemplateId"), reference.get("LaunchTemplateName")
        if not template_id and not name:
            raise Ec2Error(
                "MissingParameter",
                "The request must contain LaunchTemplateId or LaunchTemplateName",
            )
        if template_id:
            found = self.launch_templates.get(template_id)
            if found is None:
                text = (
                    f"The specified launch template, with template ID {template_id}, does not "
                    "exist."
                )
                raise Ec2Error("InvalidLaunchTemplateId.NotFound", text)
            return found
        found = self.launch_templates.get(self.launch_template_name_to_ids.get(str(name), ""))
        if found is None:
            text = f"The specified launch template, with template name {name}, does not exist."
            raise Ec2Error("InvalidLaunchTemplateName.NotFoundException", text)
        return found

    def version_of(self, template: Any, version: object) -> Any:
        """One version: a number, `$Latest`, or `$Default`, which holds where none is named."""
        text = str(version or "$Default")
        if text in {"$Latest", "$Default"}:
            return template.get_version(text)
        if not text.isdigit() or not 1 <= int(text) <= len(template.versions):
            message = (
                f"Could not find launch template version {text} for the launch template "
                f"{template.id}."
            )
            raise Ec2Error("InvalidLaunchTemplateId.VersionNotFound", message)
        return template.get_version(text)

    def template_version(self, reference: Data) -> Any:
        """The version that a launch names."""
        return self.version_of(self.template(reference), reference.get("Version"))

    def described_template(self, template: Any, *, created_by: str) -> Data:
        """As DescribeLaunchTemplates shows it."""
        return {
            "CreateTime": template.create_time,
            "CreatedBy": created_by,
            "DefaultVersionNumber": template.default_version_number,
            "LatestVersionNumber": template.latest_version_number,
            "LaunchTemplateId": template.id,
            "LaunchTemplateName": template.name,
            "Tags": template.get_tags(),
        }

    def described_version(self, version: Any, *, created_by: str) -> Data:
        """As DescribeLaunchTemplateVersions shows it."""
        return {
            "CreateTime": version.create_time,
            "CreatedBy": created_by,
            "DefaultVersion": version.template.is_default(version),
            "LaunchTemplateData": version.data,
            "LaunchTemplateId": version.template.id,
            "LaunchTemplateName": version.template.name,
            "VersionDescription": version.description,
            "VersionNumber": version.number,
        }
