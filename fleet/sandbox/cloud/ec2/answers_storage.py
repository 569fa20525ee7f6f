"""Snapshots by owner, and Spot requests of instances that were launched as Spot."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.utils import generic_filter

from fleet.sandbox.cloud.ec2.answers import Answers
from fleet.sandbox.cloud.ec2.faults import Ec2Error, not_found


class StorageAnswers(Answers):
    """Actions that describe snapshots and Spot requests."""

    def describe_snapshots(self) -> ActionResult:
        """Snapshots by id, owner and filter."""
        self.error_on_dryrun()
        known = self.region_backend.snapshots
        ids = self.parameters.get("SnapshotIds") or []
        missing = next((i for i in ids if i not in known), None)
        if missing is not None:
            raise not_found("InvalidSnapshot", missing)
        owners = {
            self.current_account if o == "self" else o
            for o in self.parameters.get("OwnerIds") or []
        }
        chosen: list[Any] = [known[i] for i in ids] if ids else list(known.values())
        chosen = [snapshot for snapshot in chosen if not owners or snapshot.owner_id in owners]
        return self.page("Snapshots", generic_filter(self.filters(), chosen), default=1000)

    def describe_spot_instance_requests(self) -> ActionResult:
        """One request per Spot instance: `active` while it lives, `closed` afterwards, and from the notice on where
        EC2 needs the capacity back.
        """
        self.error_on_dryrun()
        wanted = self.parameters.get("SpotInstanceRequestIds") or []
        filters = self.filters()
        requests = [
            request
            for instance in self.region_backend.find_instances(None, {})
            if instance.spot_instance_request_id
            and (request := self._request(instance))
            and (not wanted or request["SpotInstanceRequestId"] in wanted)
            and request["State"] in filters.get("state", [request["State"]])
            and request["Status"]["Code"] in filters.get("status-code", [request["Status"]["Code"]])
            and instance.id in filters.get("instance-id", [instance.id])
        ]
        return self.page("SpotInstanceRequests", requests, default=1000)

    def cancel_spot_instance_requests(self) -> ActionResult:
        """The instances go on running."""
        self.error_on_dryrun()
        asked = self.parameters.get("SpotInstanceRequestIds") or []
        known = {
            i.spot_instance_request_id: i for i in self.region_backend.find_instances(None, {})
        }
        missing = next((i for i in asked if i not in known), None)
        if missing is not None:
            text = f"The spot instance request ID '{missing}' does not exist"
            raise Ec2Error("InvalidSpotInstanceRequestID.NotFound", text)
        for request_id in asked:
            known[request_id].spot_request_cancelled = True
        cancelled = [{"SpotInstanceRequestId": i, "State": "cancelled"} for i in asked]
        return ActionResult({"CancelledSpotInstanceRequests": cancelled})

    def _request(self, instance: Any) -> dict[str, Any]:
        request_id = instance.spot_instance_request_id
        cancelled = getattr(instance, "spot_request_cancelled", False)
        tags = self.region_backend.tags.get(request_id, {})
        code, since = self._spot_status(instance)
        alive = code in {"fulfilled", "marked-for-termination"}
        return {
            "SpotInstanceRequestId": request_id,
            "InstanceId": instance.id,
            "State": "cancelled" if cancelled else "active" if alive else "closed",
            "Status": {
                "Code": code,
                "Message": f"Your Spot request is {code}.",
                "UpdateTime": since,
            },
            "Type": "one-time",
            "CreateTime": instance.launch_time,
            "LaunchedAvailabilityZone": instance.availability_zone,
            "ProductDescription": "Linux/UNIX",
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def _spot_status(self, instance: Any) -> tuple[str, Any]:
        """The request's status code, and since when."""
        notice = self.region_backend.state.spot_notices.get(instance.id)
        if notice is not None:
            return notice.status_code, notice.given
        if instance.counted:
            return "fulfilled", instance.launch_time
        return instance.spot_end_code or "instance-terminated-by-user", instance.launch_time
