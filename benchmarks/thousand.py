"""1,000 instances up and down again, on hosts that nobody reaches: which AWS calls that takes, and how long.

Against a served EC2 on this machine, so the seconds are its own, not AWS's; the calls are the same. Tags are put
on each instance apart, at EC2's rate on AWS (100 at once, 10 a second), without waiting here.
"""

from __future__ import annotations

import dataclasses
import os
import tempfile
import time
from collections import Counter
from pathlib import Path

from fleet.sandbox.cloud.call import Call
from fleet.workflows.launch.prepare import prepare_up
from fleet.workflows.launch.up import apply_up
from fleet.workflows.pacing import Bucket
from fleet.workflows.teardown.down import apply_down, prepare_down
from tests.sandbox.cloud.recording import Served, serve
from tests.workflows.conftest import read, spec_text
from tests.workflows.runs import context_over

COUNT = 1000
POLLING = ("Describe", "Get")
TAGGING = "CreateTags"


def main() -> None:
    """Print the calls and seconds of plan, launch and teardown."""
    with serve() as served, tempfile.TemporaryDirectory() as cache:
        os.environ["AWS_ENDPOINT_URL"] = served.url
        state = served.cloud.state
        state.quotas.put("L-DB2E81BA", 4 * COUNT, region="us-east-1")
        state.capacity.put(COUNT)
        context = context_over(served.url, Path(cache))
        patient = dataclasses.replace(context.deadlines, running=300, terminated=300)
        context = dataclasses.replace(context, deadlines=patient, tagging=Bucket(10**6, 10**6))
        text = spec_text(instances="{types: [g5.xlarge]}").replace(
            "members: [ana, ben, cyd]", f"count: {COUNT}"
        )

        began = time.monotonic()
        plan = prepare_up(context, read(text), folder=Path())
        began = _print(served, "plan", began)
        report = apply_up(context, plan)
        began = _print(served, "up", began)
        assert sum(e.instance_id is not None for e in report.environments) == COUNT
        receipt = apply_down(context, prepare_down(context, plan.fleet))
        _print(served, "down", began)
        assert receipt.clean
        assert len(receipt.released["instances"]) == COUNT


def _print(served: Served, what: str, began: float) -> float:
    calls: list[Call] = served.cloud.hooks.calls
    served.cloud.hooks.restart()
    counted = Counter(call.action for call in calls)
    tags = counted.pop(TAGGING, 0)
    polls = sum(n for action, n in counted.items() if action.startswith(POLLING))
    acting = {action: n for action, n in counted.items() if not action.startswith(POLLING)}
    said = ", ".join(f"{action} {n}" for action, n in sorted(acting.items()))
    seconds = time.monotonic() - began
    print(
        f"{COUNT} instances, {what:<5} {seconds:6.1f} s: {sum(acting.values())} calls that change something "
        f"({said or 'none'}), {polls} that look, {tags} for tags"
    )
    return time.monotonic()


if __name__ == "__main__":
    main()
