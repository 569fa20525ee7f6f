"""The regions of the account: those of its own partition."""

from __future__ import annotations

import boto3
from moto.core.responses import ActionResult

from fleet.sandbox.cloud.ec2.answers import Answers
from fleet.sandbox.cloud.ec2.faults import Ec2Error


class RegionAnswers(Answers):
    """Actions that describe regions."""

    def describe_regions(self) -> ActionResult:
        """All regions are enabled; one that is asked for by name must exist."""
        self.error_on_dryrun()
        known = boto3.Session().get_available_regions("ec2")
        asked = self.parameters.get("RegionNames") or known
        missing = next((name for name in asked if name not in known), None)
        if missing is not None:
            raise Ec2Error("InvalidParameterValue", f"Invalid region provided: {missing}")
        regions = [
            {
                "RegionName": name,
                "Endpoint": f"ec2.{name}.amazonaws.com",
                "OptInStatus": "opt-in-not-required",
            }
            for name in sorted(asked)
        ]
        return ActionResult({"Regions": regions})
