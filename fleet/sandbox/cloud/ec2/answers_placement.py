"""Spot placement scores: how likely it is that a Spot request finds room, from 1 to 10, by Region or by zone.

Rules of EC2's: ten scores at most, the best first; fewer than three instance types always score
low (EC2 user guide, "Spot placement score").
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from moto.ec2.models import ec2_backends

from fleet.sandbox.cloud.ec2 import catalog
from fleet.sandbox.cloud.ec2.answers import Answers
from fleet.sandbox.cloud.ec2.faults import Ec2Error

if TYPE_CHECKING:
    from moto.core.responses import ActionResult

    from fleet.sandbox.cloud.ec2.backend import SandboxEc2

_BEST, _LOW, _MOST_SHOWN = 10, 3, 10
_ENOUGH_TYPES = 3
_AMPLE = 2
"""Room for so many times the target scores best."""


class PlacementAnswers(Answers):
    """Actions that say where a Spot request would succeed."""

    def get_spot_placement_scores(self) -> ActionResult:
        """Score the room that pools have for the target; the quota does not count."""
        asked = self.parameters
        types, target = (
            list(asked.get("InstanceTypes") or []),
            int(asked.get("TargetCapacity") or 0),
        )
        if not types or asked.get("TargetCapacityUnitType", "units") != "units":
            raise NotImplementedError("Name instance types, and count in units.")
        unknown = [name for name in types if catalog.instance_type(name) is None]
        if unknown or target < 1:
            text = f"Invalid value: {unknown[0] if unknown else target}"
            raise Ec2Error("InvalidParameterValue", text)
        single = str(asked.get("SingleAvailabilityZone", False)).lower() == "true"
        scores = [
            score
            for region in asked.get("RegionNames") or [self.region]
            for score in _scores(self._backend_of(region), types, target, by_zone=single)
        ]
        scores.sort(key=lambda score: -score["Score"])
        return self.page("SpotPlacementScores", scores[:_MOST_SHOWN], default=_MOST_SHOWN)

    def _backend_of(self, region: str) -> SandboxEc2:
        found: Any = ec2_backends[self.region_backend.account_id][region]
        return found  # type: ignore[no-any-return]


def _scores(
    backend: SandboxEc2, types: list[str], target: int, *, by_zone: bool
) -> Iterator[dict[str, Any]]:
    rooms: dict[str, int] = {}
    for name in dict.fromkeys(types):
        for zone in catalog.zones_offering(backend.region_name, name):
            room = backend.launcher.capacity_room(name, zone, "spot")
            rooms[zone] = rooms.get(zone, 0) + room
    best = _BEST if len(set(types)) >= _ENOUGH_TYPES else _LOW
    if not by_zone:
        yield {"Region": backend.region_name, "Score": _score(sum(rooms.values()), target, best)}
        return
    for zone, room in sorted(rooms.items()):
        known = backend.get_zone_by_name(zone)
        if known is not None:
            score = _score(room, target, best)
            zone_id = known.zone_id
            yield {"Region": backend.region_name, "AvailabilityZoneId": zone_id, "Score": score}


def _score(room: int, target: int, best: int) -> int:
    return 1 + (best - 1) * min(room, _AMPLE * target) // (_AMPLE * target)
