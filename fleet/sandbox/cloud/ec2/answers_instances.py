"""RunInstances and the life of instances, as far as moto's own answers do not do."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

from moto.core.responses import ActionResult

from fleet.sandbox.cloud.ec2.answers import Answers
from fleet.sandbox.cloud.ec2.faults import not_found
from fleet.sandbox.cloud.ec2.spec import LaunchSpec, TemplateUse, merge, read_spec


class InstanceAnswers(Answers):
    """Actions on instances."""

    def run_instances(self) -> ActionResult:
        """Launch what the request says over its template, once for a ClientToken."""
        least, most = (
            int(self.parameters.get("MinCount") or 1),
            int(self.parameters.get("MaxCount") or 1),
        )
        spec = self._spec()
        launcher = self.region_backend.launcher
        if self.parameters.get("DryRun"):
            launcher.run(spec, least=least, most=most, dry_run=True)
            self.error_on_dryrun()
        return ActionResult(self.once(lambda: launcher.run(spec, least=least, most=most)))

    def _spec(self) -> LaunchSpec:
        reference = self.parameters.get("LaunchTemplate")
        token = str(self.parameters.get("ClientToken") or "")
        if not reference:
            return read_spec(merge({}, self.parameters), client_token=token)
        version = self.region_backend.template_version(reference)
        use = TemplateUse(version.template.id, version.template.name, version.number)
        return read_spec(merge(version.data, self.parameters), template=use, client_token=token)

    def describe_instances(self) -> ActionResult:
        """Reservations with those of their instances that were asked for."""
        self.error_on_dryrun()
        chosen = self.region_backend.find_instances(
            self.parameters.get("InstanceIds"), self.filters()
        )
        ids = {instance.id for instance in chosen}
        reservations = []
        for reservation in self.region_backend.reservations.values():
            members = [instance for instance in reservation.instances if instance.id in ids]
            if members:
                reservations.append(
                    {
                        "ReservationId": reservation.id,
                        "OwnerId": reservation.owner_id,
                        "Groups": [],
                        "Instances": members,
                    }
                )
        return self.page("Reservations", reservations, default=1000)

    def describe_instance_status(self) -> ActionResult:
        """Status checks of instances that run, or of all: passed, unless the host never boots."""
        chosen = self.region_backend.find_instances(self.parameters.get("InstanceIds"), {})
        everything = bool(self.parameters.get("IncludeAllInstances"))
        wanted = self.filters().get("instance-state-name")
        statuses = [
            self._status(instance)
            for instance in chosen
            if (everything or instance.state == "running")
            and (not wanted or instance.state in wanted)
        ]
        return self.page("InstanceStatuses", statuses, default=1000)

    def _status(self, instance: Any) -> dict[str, Any]:
        check = {"Status": "ok" if instance.state == "running" else "not-applicable"}
        own = {"Status": "impaired"} if instance.dead and instance.state == "running" else check
        return {
            "InstanceId": instance.id,
            "AvailabilityZone": instance.availability_zone,
            "InstanceState": {"Code": instance.state_code, "Name": instance.state},
            "InstanceStatus": own,
            "SystemStatus": check,
        }

    def get_console_output(self) -> ActionResult:
        """What the host has printed."""
        self.error_on_dryrun()
        instance_id = str(self.parameters.get("InstanceId"))
        if self.region_backend.instance_by_id(instance_id) is None:
            raise not_found("InvalidInstanceID", instance_id)
        text = self.region_backend.state.driver.console(instance_id)
        output = base64.b64encode(text.encode()).decode()
        return ActionResult(
            {"InstanceId": instance_id, "Timestamp": datetime.now(UTC), "Output": output}
        )

    def terminate_instances(self) -> ActionResult:
        """Each with its state before and now."""
        self.error_on_dryrun()
        changed = self.region_backend.terminate_instances(self.parameters.get("InstanceIds") or [])
        return ActionResult({"TerminatingInstances": _changes(changed)})

    def stop_instances(self) -> ActionResult:
        """Each with its state before and now."""
        self.error_on_dryrun()
        changed = self.region_backend.stop_instances(self.parameters.get("InstanceIds") or [])
        return ActionResult({"StoppingInstances": _changes(changed)})

    def start_instances(self) -> ActionResult:
        """Each with its state before and now."""
        self.error_on_dryrun()
        changed = self.region_backend.start_instances(self.parameters.get("InstanceIds") or [])
        return ActionResult({"StartingInstances": _changes(changed)})


def _changes(changed: list[tuple[Any, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "InstanceId": instance.id,
            "CurrentState": {"Code": instance.state_code, "Name": instance.state},
            "PreviousState": {"Code": before.code, "Name": before.name},
        }
        for instance, before in changed
    ]
