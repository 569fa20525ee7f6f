"""CreateFleet and what describes and deletes fleets."""

from __future__ import annotations

import math
from dataclasses import replace

from moto.core.responses import ActionResult
from moto.ec2.utils import random_fleet_id

from fleet.sandbox.cloud.capacity import Market
from fleet.sandbox.cloud.ec2 import fleets
from fleet.sandbox.cloud.ec2.answers import Answers
from fleet.sandbox.cloud.ec2.faults import Ec2Error
from fleet.sandbox.cloud.ec2.spec import (
    Data,
    TemplateUse,
    merge,
    read_price,
    read_spec,
    refuse_reserved_tags,
    tags_by_resource,
)


class FleetAnswers(Answers):
    """Actions on fleets."""

    def create_fleet(self) -> ActionResult:
        """All types are filled once, as `instant` is; only `instant` shows what it launched."""
        shares = self._shares()
        candidates = self._candidates()
        self.error_on_dryrun()
        record: fleets.FleetRecord = self.once(lambda: self._create(shares, candidates))
        answer: Data = {"FleetId": record.fleet_id}
        if record.request.get("Type") == "instant":
            answer |= {"Instances": record.launched, "Errors": record.errors}
        return ActionResult(answer)

    def _create(
        self, shares: list[fleets.Share], candidates: list[fleets.Candidate]
    ) -> fleets.FleetRecord:
        backend = self.region_backend
        record = fleets.FleetRecord(random_fleet_id(), self.parameters, backend.state.now())
        tags = tags_by_resource(self.parameters.get("TagSpecifications") or [])
        filling = fleets.InstantFleet(backend.launcher, candidates, record.fleet_id)
        for share in shares:
            filling.fill(share)
        record.launched, record.errors = filling.launched, filling.errors
        record.instance_ids = [i for entry in record.launched for i in entry["InstanceIds"]]
        backend.instant_fleets[record.fleet_id] = record
        backend.create_tags([record.fleet_id], tags.get("fleet", {}))
        return record

    def _shares(self) -> list[fleets.Share]:
        """How much of each market is wanted, On-Demand first. Raises EC2's errors for what makes no
        sense.
        """
        if self.parameters.get("Type", "maintain") not in {"instant", "request", "maintain"}:
            raise Ec2Error(
                "InvalidParameterValue", f"Invalid value '{self.parameters['Type']}' for Type."
            )
        target = self.parameters.get("TargetCapacitySpecification") or {}
        total = int(target.get("TotalTargetCapacity") or 0)
        on_demand, spot = (
            int(target.get("OnDemandTargetCapacity") or 0),
            int(target.get("SpotTargetCapacity") or 0),
        )
        if total < 1 or on_demand + spot > total:
            raise Ec2Error(
                "InvalidParameterValue",
                "TotalTargetCapacity does not fit the capacities that it is the total of.",
            )
        if target.get("DefaultTargetCapacityType", "on-demand") == "spot":
            spot = total - on_demand
        else:
            on_demand = total - spot
        return [
            self._share("on-demand", on_demand, "OnDemandOptions", fleets.ON_DEMAND_STRATEGIES),
            self._share("spot", spot, "SpotOptions", fleets.SPOT_STRATEGIES),
        ]

    def _share(
        self, market: Market, capacity: int, name: str, known: tuple[str, ...]
    ) -> fleets.Share:
        options = self.parameters.get(name) or {}
        strategy = options.get("AllocationStrategy") or "lowest-price"
        strategy = {"lowestPrice": "lowest-price", "capacityOptimized": "capacity-optimized"}.get(
            strategy, strategy
        )
        if strategy not in known:
            raise Ec2Error(
                "InvalidParameterValue",
                f"Invalid value '{strategy}' for {name}.AllocationStrategy.",
            )
        if options.get("MinTargetCapacity") and not (
            options.get("SingleAvailabilityZone") or options.get("SingleInstanceType")
        ):
            raise Ec2Error(
                "InvalidParameterCombination",
                "MinTargetCapacity needs SingleAvailabilityZone or SingleInstanceType.",
            )
        return fleets.Share(market, float(capacity), strategy, options)

    def _candidates(self) -> list[fleets.Candidate]:
        configs = self.parameters.get("LaunchTemplateConfigs") or []
        if not configs:
            raise Ec2Error(
                "MissingParameter", "The request must contain the parameter LaunchTemplateConfigs"
            )
        tags = tags_by_resource(self.parameters.get("TagSpecifications") or [])
        unknown = [kind for kind in tags if kind not in {"fleet", "instance"}]
        if unknown:
            text = f"'{unknown[0]}' is not a valid taggable resource type for this operation."
            raise Ec2Error("InvalidParameterValue", text)
        refuse_reserved_tags(key for of_type in tags.values() for key in of_type)
        candidates = [
            c for config in configs for c in self._of_config(config, tags.get("instance", {}))
        ]
        self._refuse_two_subnets_of_a_zone(candidates)
        return candidates

    def _of_config(self, config: Data, tags: dict[str, str]) -> list[fleets.Candidate]:
        version = self.region_backend.template_version(
            config.get("LaunchTemplateSpecification") or {}
        )
        use = TemplateUse(version.template.id, version.template.name, version.number)
        named = {"LaunchTemplateId": use.template_id, "Version": str(use.version)}
        return [
            self._candidate(version.data, use, named, override, tags)
            for override in config.get("Overrides") or [{}]
        ]

    def _candidate(
        self, data: Data, use: TemplateUse, named: Data, override: Data, tags: dict[str, str]
    ) -> fleets.Candidate:
        if override.get("InstanceRequirements"):
            raise Ec2Error(
                "UnsupportedOperation", "The sandbox does not choose types by InstanceRequirements."
            )
        spec = read_spec(merge(data, _as_request(override, data)), template=use)
        if not (override.get("InstanceType") or data.get("InstanceType")):
            raise Ec2Error(
                "InvalidFleetConfig",
                "An instance type is needed in the launch template or an override.",
            )
        own = {**spec.tags.get("instance", {}), **tags}
        return fleets.Candidate(
            spec=replace(
                spec,
                tags={**spec.tags, "instance": own},
                max_price=read_price(override.get("MaxPrice")) or spec.max_price,
                availability_zone=override.get("AvailabilityZone") or spec.availability_zone,
            ),
            answer={
                "LaunchTemplateSpecification": named,
                "Overrides": {**override, "InstanceType": spec.instance_type},
            },
            priority=float(override["Priority"])
            if override.get("Priority") is not None
            else math.inf,
            weight=float(override.get("WeightedCapacity") or 1),
        )

    def _refuse_two_subnets_of_a_zone(self, candidates: list[fleets.Candidate]) -> None:
        """A fleet cannot span different subnets of the same zone (EC2's fleet quotas)."""
        by_zone: dict[str, str] = {}
        for candidate in candidates:
            if candidate.spec.subnet_id is None:
                continue
            subnet = self.region_backend.launcher.subnet(candidate.spec.subnet_id)
            if by_zone.setdefault(subnet.availability_zone, subnet.id) != subnet.id:
                text = (
                    "The fleet names different subnets of the Availability Zone "
                    f"{subnet.availability_zone}."
                )
                raise Ec2Error("InvalidFleetConfig", text)

    def describe_fleets(self) -> ActionResult:
        """Fleets by id; without one all but instant fleets."""
        self.error_on_dryrun()
        ids = self.parameters.get("FleetIds") or []
        records = self.region_backend.instant_fleets
        missing = [i for i in ids if i not in records]
        if missing:
            raise Ec2Error("InvalidFleetId.NotFound", f"The fleet ID '{missing[0]}' does not exist")
        wanted = (
            [records[i] for i in ids]
            if ids
            else [r for r in records.values() if r.request.get("Type") != "instant"]
        )
        return self.page("Fleets", [self._described(record) for record in wanted], default=100)

    def _described(self, record: fleets.FleetRecord) -> Data:
        request = record.request
        tags = self.region_backend.tags.get(record.fleet_id, {})
        return {
            "FleetId": record.fleet_id,
            "FleetState": record.state,
            "Type": request.get("Type", "maintain"),
            "CreateTime": record.created,
            "ClientToken": request.get("ClientToken"),
            "ActivityStatus": "error" if record.errors and not record.launched else "fulfilled",
            "TargetCapacitySpecification": request.get("TargetCapacitySpecification"),
            "LaunchTemplateConfigs": request.get("LaunchTemplateConfigs"),
            "SpotOptions": request.get("SpotOptions"),
            "OnDemandOptions": request.get("OnDemandOptions"),
            "Instances": record.launched,
            "Errors": record.errors,
            "Tags": [{"Key": key, "Value": value} for key, value in tags.items()],
        }

    def describe_fleet_instances(self) -> ActionResult:
        """The instances of a fleet that still count."""
        self.error_on_dryrun()
        fleet_id = str(self.parameters.get("FleetId"))
        record = self.region_backend.instant_fleets.get(fleet_id)
        if record is None:
            raise Ec2Error("InvalidFleetId.NotFound", f"The fleet ID '{fleet_id}' does not exist")
        active = [
            i
            for i in map(self.region_backend.instance_by_id, record.instance_ids)
            if i and i.counted
        ]
        shown = [
            {
                "InstanceId": i.id,
                "InstanceType": i.instance_type,
                "SpotInstanceRequestId": i.spot_instance_request_id,
            }
            for i in active
        ]
        return ActionResult({"FleetId": fleet_id, "ActiveInstances": shown})

    def delete_fleets(self) -> ActionResult:
        """An instant fleet takes its instances with it, whatever TerminateInstances says."""
        self.error_on_dryrun()
        done: list[Data] = []
        failed: list[Data] = []
        for fleet_id in self.parameters.get("FleetIds") or []:
            record = self.region_backend.instant_fleets.get(fleet_id)
            if record is None:
                error = {
                    "Code": "fleetIdDoesNotExist",
                    "Message": f"The fleet ID '{fleet_id}' does not exist",
                }
                failed.append({"FleetId": fleet_id, "Error": error})
            else:
                done.append(self._delete(record))
        return ActionResult(
            {"SuccessfulFleetDeletions": done, "UnsuccessfulFleetDeletions": failed}
        )

    def _delete(self, record: fleets.FleetRecord) -> Data:
        before = record.state
        terminates = (
            bool(self.parameters.get("TerminateInstances"))
            or record.request.get("Type") == "instant"
        )
        alive = [
            i for i in map(self.region_backend.instance_by_id, record.instance_ids) if i is not None
        ]
        if terminates and alive:
            self.region_backend.terminate_all(alive)
        record.state = "deleted_terminating" if terminates else "deleted_running"
        return {
            "FleetId": record.fleet_id,
            "PreviousFleetState": before,
            "CurrentFleetState": record.state,
        }


def _as_request(override: Data, data: Data) -> Data:
    """An override in the words of RunInstances; its subnet replaces that of a template's primary
    interface.
    """
    request: Data = {
        k: override[k]
        for k in ("InstanceType", "SubnetId", "ImageId", "Placement", "BlockDeviceMappings")
        if k in override
    }
    interfaces = data.get("NetworkInterfaces")
    if interfaces and "SubnetId" in request:
        subnet_id = request.pop("SubnetId")
        primary, *others = sorted(interfaces, key=lambda nic: int(nic.get("DeviceIndex") or 0))
        request["NetworkInterfaces"] = [{**primary, "SubnetId": subnet_id}, *others]
    return request
