"""SSM in one Region: moto's parameters, with the public parameters of Deep Learning AMIs.

Each public parameter points to the newest matching image of the Region.
"""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Any

import moto.ssm.urls
from moto.ec2.models import ec2_backends
from moto.ssm.exceptions import ValidationException
from moto.ssm.models import Parameter, SimpleSystemManagerBackend

from fleet.sandbox.cloud.data import dlami_parameters
from fleet.sandbox.cloud.ec2.image import SandboxImage
from fleet.sandbox.cloud.ec2.images import newest_match, parameter_matcher

if TYPE_CHECKING:
    from types import ModuleType

    from fleet.sandbox.cloud.state import CloudState


_MOST_BYTES = 4096


class SandboxSsm(SimpleSystemManagerBackend):
    """Parameter Store in one Region of one account."""

    def __init__(self, region_name: str, account_id: str, *, state: CloudState) -> None:
        super().__init__(region_name, account_id)
        self.state = state
        for parameter in self._public_parameters():
            self._parameters[parameter.name].append(parameter)

    @property
    def _url_module(self) -> ModuleType:
        """moto derives this from the module of the class, which is ours."""
        return moto.ssm.urls

    def _public_parameters(self) -> list[Parameter]:
        amis = ec2_backends[self.account_id][self.region_name].amis.values()
        images = [image for image in amis if isinstance(image, SandboxImage)]
        found = []
        for row in dlami_parameters():
            image = newest_match(images, row["architecture"], parameter_matcher(row))
            if image is not None and not image.deprecated(self.state.now()):
                found.append(self._public(row["parameter"], image))
        return found

    def _public(self, name: str, image: SandboxImage) -> Parameter:
        return Parameter(  # type: ignore[abstract]  # so does moto
            account_id=self.account_id,
            name=name,
            value=image.id,
            parameter_type="String",
            description=None,
            allowed_pattern=None,
            keyid=None,
            last_modified_date=image.creation_date.replace(tzinfo=UTC),
            version=1,
            data_type="aws:ec2:image",
        )

    def put_parameter(
        self, name: str, description: str, value: str, *rest: Any, **named: Any
    ) -> Parameter:
        """A value is at most 4 KB."""
        if len(value.encode()) > _MOST_BYTES:
            raise ValidationException(
                "Standard tier parameters support a maximum parameter value of 4096 characters. To "
                "create a larger parameter value, upgrade the parameter to use the "
                "advanced-parameter tier."
            )
        return super().put_parameter(name, description, value, *rest, **named)

    def describe_parameters(
        self, filters: list[dict[str, object]], parameter_filters: list[dict[str, object]]
    ) -> list[Parameter]:
        """The account's own, without the public ones."""
        found = super().describe_parameters(filters, parameter_filters)
        return [parameter for parameter in found if not parameter.name.startswith("/aws/")]
