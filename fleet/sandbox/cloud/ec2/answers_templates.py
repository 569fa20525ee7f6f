"""Launch templates: ClientTokens, SourceVersion, pages; the rest is moto's."""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.ec2.responses.launch_templates import LaunchTemplates

from fleet.sandbox.cloud.ec2.answers import Answers
from fleet.sandbox.cloud.ec2.faults import Ec2Error
from fleet.sandbox.cloud.ec2.spec import Data, refuse_reserved_tags, tags_by_resource


class TemplateAnswers(Answers, LaunchTemplates):
    """Actions on launch templates."""

    def create_launch_template(self) -> ActionResult:
        """Made once for a ClientToken; the template's own tags are not those of its instances."""
        name = str(self.parameters.get("LaunchTemplateName") or "")
        data = self.parameters.get("LaunchTemplateData") or {}
        tags = tags_by_resource(self.parameters.get("TagSpecifications") or [])
        refuse_reserved_tags(key for of_type in tags.values() for key in of_type)
        if not 3 <= len(name) <= 128:
            raise Ec2Error(
                "InvalidLaunchTemplateName.MalformedException",
                "A launch template name has 3 to 128 characters.",
            )
        self.error_on_dryrun()
        template = self.once(
            lambda: self.region_backend.create_launch_template(
                name, str(self.parameters.get("VersionDescription") or ""), data, tags
            )
        )
        return ActionResult({"LaunchTemplate": self._described_template(template)})

    def create_launch_template_version(self) -> ActionResult:
        """New data over that of SourceVersion."""
        template = self.region_backend.template(self.parameters)
        data: Data = dict(self.parameters.get("LaunchTemplateData") or {})
        source = self.parameters.get("SourceVersion")
        if source:
            data = {**self.region_backend.version_of(template, source).data, **data}
        self.error_on_dryrun()
        version = self.once(
            lambda: template.create_version(data, self.parameters.get("VersionDescription"))
        )
        return ActionResult({"LaunchTemplateVersion": self._described_version(version)})

    def describe_launch_templates(self) -> ActionResult:
        """Templates by id, name and filter; what is named must exist."""
        self.error_on_dryrun()
        ids, names = (
            self.parameters.get("LaunchTemplateIds"),
            self.parameters.get("LaunchTemplateNames"),
        )
        for template_id in ids or []:
            self.region_backend.template({"LaunchTemplateId": template_id})
        for name in names or []:
            self.region_backend.template({"LaunchTemplateName": name})
        templates = self.region_backend.describe_launch_templates(names, ids, self.filters())
        return self.page(
            "LaunchTemplates", [self._described_template(t) for t in templates], default=200
        )

    def describe_launch_template_versions(self) -> ActionResult:
        """Versions of one template, the newest first, or the same versions of all."""
        self.error_on_dryrun()
        wanted = self.parameters.get("Versions") or []
        if not (
            self.parameters.get("LaunchTemplateId") or self.parameters.get("LaunchTemplateName")
        ):
            templates = list(self.region_backend.launch_templates.values())
            versions = [self.region_backend.version_of(t, v) for t in templates for v in wanted]
        else:
            template = self.region_backend.template(self.parameters)
            least = int(self.parameters.get("MinVersion") or 1)
            most = int(self.parameters.get("MaxVersion") or len(template.versions))
            versions = [self.region_backend.version_of(template, v) for v in wanted] or [
                version
                for version in reversed(template.versions)
                if least <= version.number <= most
            ]
        return self.page(
            "LaunchTemplateVersions", [self._described_version(v) for v in versions], default=200
        )

    def delete_launch_template(self) -> ActionResult:
        """By id or name, with EC2's code for an unknown one."""
        template = self.region_backend.template(self.parameters)
        self.error_on_dryrun()
        self.region_backend.delete_launch_template(template.name, None)
        return ActionResult({"LaunchTemplate": self._described_template(template)})

    def _described_template(self, template: object) -> Data:
        backend = self.region_backend
        return backend.described_template(template, created_by=self._root())

    def _described_version(self, version: object) -> Data:
        backend = self.region_backend
        return backend.described_version(version, created_by=self._root())

    def _root(self) -> str:
        return f"arn:{self.partition}:iam::{self.current_account}:root"
