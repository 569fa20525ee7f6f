"""One Region of EC2: moto's backend with the sandbox's instances, images, instance types, tags and
dependencies.

docs/moto.md says what moto does instead of each override. All calls come with the cloud's lock held.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import moto.ec2.urls
from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.utils import filter_iam_instance_profiles

from fleet.sandbox.cloud.ec2 import catalog, faults, images, networks
from fleet.sandbox.cloud.ec2.filters import matches
from fleet.sandbox.cloud.ec2.instance_faults import visible
from fleet.sandbox.cloud.ec2.launch import Launcher
from fleet.sandbox.cloud.ec2.lives import HostLives
from fleet.sandbox.cloud.ec2.templates import Templates

if TYPE_CHECKING:
    from types import ModuleType

    from moto.ec2.models.instances import InstanceState
    from moto.ec2.models.vpcs import VPC

    from fleet.sandbox.cloud.ec2.fleets import FleetRecord
    from fleet.sandbox.cloud.ec2.instance import SandboxInstance
    from fleet.sandbox.cloud.state import CloudState
    from fleet.sandbox.faults.registry import Fault

_EXACT = re.compile(r"[\w:.-]+")


class SandboxEc2(Templates):
    """EC2 in one Region of one account."""

    def __init__(self, region_name: str, account_id: str, *, state: CloudState) -> None:
        self.state = state
        self.lives = HostLives(self, state)
        self.launcher = Launcher(self, state)
        self.instant_fleets: dict[str, FleetRecord] = {}
        self._tried: dict[tuple[str, str], float] = {}
        super().__init__(region_name, account_id)

    @property
    def _url_module(self) -> ModuleType:
        """moto derives this from the module of the class, which is ours."""
        return moto.ec2.urls

    def _load_amis(self) -> None:
        """The sandbox's images in the place of moto's."""
        self.amis = dict(images.load_images(self))

    def create_default_vpc(self) -> VPC:
        """With the internet gateway that makes its subnets public."""
        vpc = super().create_default_vpc()
        networks.open_to_the_internet(self, vpc)
        return vpc

    def describe_tags(self, filters: dict[str, list[str]] | None = None) -> list[dict[str, str]]:
        """Tags of resources that are named are looked up; moto would compare every tag of the Region."""
        ids = (filters or {}).get("resource-id", [])
        if filters and list(filters) == ["resource-id"] and all(_EXACT.fullmatch(i) for i in ids):
            return [
                {
                    "resource_id": i,
                    "key": key,
                    "value": value,
                    "resource_type": catalog.resource_type(i),
                }
                for i in ids
                for key, value in self.tags.get(i, {}).items()
            ]
        return super().describe_tags(filters)

    # instances

    def find_instances(self, ids: list[str] | None, filters: dict[str, list[str]]) -> list[Any]:
        """Instances by id and filter; an id that is unknown, or not visible yet, is an error."""
        known = {i.id: i for i in self.sandbox_instances() if visible(self.state, i)}
        missing = [i for i in ids or [] if i not in known]
        if missing:
            raise faults.not_found("InvalidInstanceID", missing[0])
        chosen = [known[i] for i in ids] if ids else list(known.values())
        return [instance for instance in chosen if matches(instance, filters)]

    def stop_instances(self, instance_ids: list[str]) -> list[tuple[Any, InstanceState]]:
        """All, or none where one may not be stopped."""
        changed = []
        for instance in self.find_instances(instance_ids, {}):
            if instance.disable_api_stop:
                text = (
                    f"The instance '{instance.id}' may not be stopped. Modify its "
                    "'disableApiStop' instance attribute and try again."
                )
                raise faults.Ec2Error("OperationNotPermitted", text)
            if instance.state in {"shutting-down", "terminated"}:
                raise _wrong_state(instance, "stopped")
            if instance.lifecycle == "spot":
                text = (
                    f"You can't stop the Spot Instance '{instance.id}' because it is associated "
                    "with a one-time Spot Instance request. You can only stop Spot Instances "
                    "associated with persistent Spot Instance requests."
                )
                raise faults.Ec2Error("UnsupportedOperation", text)
            before = instance.instance_state
            self.lives.stop(instance)
            changed.append((instance, before))
        return changed

    def start_instances(self, instance_ids: list[str]) -> list[tuple[Any, InstanceState]]:
        """All that are stopped, where their pools have room."""
        chosen = self.find_instances(instance_ids, {})
        for instance in chosen:
            if instance.state not in {"stopped", "running", "pending"}:
                raise _wrong_state(instance, "started")
        changed = []
        for instance in chosen:
            before = instance.instance_state
            if instance.state == "stopped":
                room = self.launcher.room(instance.spec, instance.availability_zone)
                if room.instances < 1:
                    raise room.fault
                self.lives.start(instance)
            changed.append((instance, before))
        return changed

    def terminate_instances(self, instance_ids: list[str]) -> list[tuple[Any, InstanceState]]:
        """All, or none where one is protected or unknown."""
        chosen = self.find_instances(instance_ids, {}) if instance_ids else []
        if not chosen:
            raise faults.Ec2Error("InvalidParameterCombination", "No instances specified")
        return self.terminate_all(chosen)

    def terminate_all(self, chosen: list[Any]) -> list[tuple[Any, InstanceState]]:
        """Terminate instances that EC2 knows, visible or not."""
        for instance in chosen:
            if instance.disable_api_termination:
                text = (
                    f"The instance '{instance.id}' may not be terminated. Modify its "
                    "'disableApiTermination' "
                    "instance attribute and try again."
                )
                raise faults.Ec2Error("OperationNotPermitted", text)
        changed = []
        for instance in chosen:
            before = instance.instance_state
            self.lives.terminate(instance)
            changed.append((instance, before))
        return changed

    def reboot_instances(self, instance_ids: list[str]) -> list[Any]:
        """All, or none where one does not run."""
        chosen = self.find_instances(instance_ids, {})
        for instance in chosen:
            if instance.state != "running":
                raise _wrong_state(instance, "rebooted")
        for instance in chosen:
            self.lives.reboot(instance)
        return chosen

    def sandbox_instances(self) -> list[SandboxInstance]:
        """Every instance, visible or not."""
        return self.all_instances()  # type: ignore[return-value]  # the launcher makes no other

    def instance_by_id(self, instance_id: str) -> SandboxInstance | None:
        """The instance, or None."""
        return next((i for i in self.sandbox_instances() if i.id == instance_id), None)

    def find_instance_profile(self, profile: dict[str, Any]) -> Any:
        """The IAM instance profile of a launch."""
        try:
            return filter_iam_instance_profiles(
                self.account_id,
                partition=self.partition,
                iam_instance_profile_arn=profile.get("Arn"),
                iam_instance_profile_name=profile.get("Name"),
            )
        except Exception as error:
            name = profile.get("Name") or profile.get("Arn")
            text = (
                f"Value ({name}) for parameter iamInstanceProfile.name is invalid. Invalid IAM "
                "Instance Profile name"
            )
            raise faults.Ec2Error("InvalidParameterValue", text) from error

    def attach_profile(self, instance_id: str, profile: dict[str, Any]) -> None:
        """Associate the IAM instance profile of a launch."""
        self.associate_iam_instance_profile(
            instance_id=instance_id,
            iam_instance_profile_name=profile.get("Name"),
            iam_instance_profile_arn=profile.get("Arn"),
        )

    # images

    def resolve_image_id(self, image_id: str) -> str:
        """An image id as it is; `resolve:ssm:NAME` through the Region's parameters."""
        if not image_id.startswith("resolve:ssm:"):
            return image_id
        from moto.ssm.models import ssm_backends  # imports this module

        name = image_id.removeprefix("resolve:ssm:")
        parameter = ssm_backends[self.account_id][self.region_name].get_parameter(name)
        if parameter is None:
            text = (
                f"The parameter {name} could not be found in AWS Systems Manager Parameter Store."
            )
            raise faults.Ec2Error("InvalidParameterValue", text)
        return str(parameter.value)

    def describe_volumes(
        self, volume_ids: list[str] | None = None, filters: Any = None
    ) -> list[Any]:
        """Volumes by id and filter; an unknown id is an error in EC2's words."""
        for volume_id in volume_ids or []:
            if volume_id not in self.volumes:
                raise faults.not_found("InvalidVolume", volume_id)
        return super().describe_volumes(volume_ids, filters)

    # dependencies

    def delete_security_group(self, name: str | None = None, group_id: str | None = None) -> None:
        """A group that nothing uses."""
        group = self.get_security_group_by_name_or_id(group_id or name or "")
        if group is not None:
            self._refuse_group_in_use(group)
        super().delete_security_group(name=name, group_id=group_id)

    def _refuse_group_in_use(self, group: Any) -> None:
        if group.name == "default":
            text = f'the specified group: "{group.id}" name: "default" cannot be deleted by a user'
            raise faults.Ec2Error("CannotDelete", text)
        by_interface = any(group in interface.group_set for interface in self.enis.values())
        by_instance = any(
            group in i.security_groups for i in self.all_instances() if i.state != "terminated"
        )
        by_group = any(
            rule.source_group.get("GroupId") == group.id
            for other in self._all_groups()
            if other.id != group.id
            for rule in [*other.ingress_rules, *other.egress_rules]
        )
        if by_interface or by_instance or by_group or self._group_lingers(group.id):
            raise DependencyViolationError(f"resource {group.id} has a dependent object")

    def _group_lingers(self, group_id: str) -> bool:
        """Whether a fault lets the group be in use: for good, or for a while from the first try."""
        now = self.state.faults.clock()

        def lingers(fault: Fault) -> bool:
            seconds = fault.conditions.delay_seconds
            return not seconds or now < self._tried.setdefault((fault.id, group_id), now) + seconds

        return self.state.faults.met("dependency-violation", lingers) is not None

    def _all_groups(self) -> list[Any]:
        return [group for by_id in self.groups.values() for group in by_id.values()]

    # tags

    def do_resources_exist(self, resource_ids: list[str]) -> bool:
        """Refuse tags for what is not there."""
        for resource_id in resource_ids:
            self._refuse_missing(resource_id)
        return super().do_resources_exist(
            [i for i in resource_ids if not i.startswith(("fleet-", "key-", "sir-"))]
        )

    def _visible_instance(self, instance_id: str) -> SandboxInstance | None:
        found = self.instance_by_id(instance_id)
        return found if found is not None and visible(self.state, found) else None

    def _refuse_missing(self, resource_id: str) -> None:
        known: dict[str, tuple[str, Any]] = {
            "i": ("InvalidInstanceID", lambda: self._visible_instance(resource_id)),
            "ami": ("InvalidAMIID", lambda: self.amis.get(resource_id)),
            "vol": ("InvalidVolume", lambda: self.volumes.get(resource_id)),
            "snap": ("InvalidSnapshot", lambda: self.snapshots.get(resource_id)),
            "eni": ("InvalidNetworkInterfaceID", lambda: self.enis.get(resource_id)),
            "sg": ("InvalidGroup", lambda: self.get_security_group_from_id(resource_id)),
            "fleet": ("InvalidFleetId", lambda: self.instant_fleets.get(resource_id)),
            "key": (
                "InvalidKeyPair",
                lambda: [k for k in self.key_pairs.values() if k.id == resource_id],
            ),
            "lt": ("InvalidLaunchTemplateId", lambda: self.launch_templates.get(resource_id)),
        }
        entry = known.get(resource_id.partition("-")[0])
        if entry is not None and not entry[1]():
            raise faults.not_found(entry[0], resource_id)


def _wrong_state(instance: Any, verb: str) -> faults.Ec2Error:
    text = f"The instance '{instance.id}' is not in a state from which it can be {verb}."
    return faults.Ec2Error("IncorrectInstanceState", text)
