"""Observes and plans what `up` would do. Changes nothing, and speaks to no host."""

from __future__ import annotations

from pathlib import Path

from fleet.assets.shipped import load_catalogue, load_launch_texts
from fleet.assets.spec_files import read_local_files
from fleet.plan.launch.plan import Plan, plan_launch
from fleet.spec.model import FleetSpec
from fleet.workflows.context import Context
from fleet.workflows.hardware.types import settle_types
from fleet.workflows.launch.observe import observe_launch


def prepare_up(context: Context, spec: FleetSpec, *, folder: Path) -> Plan:
    """Observe and plan. `folder` is where the spec's relative paths start. Changes nothing."""
    spec = settle_types(context, spec)
    observed = observe_launch(context, spec)
    return plan_launch(
        spec,
        observed,
        now=context.now(),
        texts=load_launch_texts(),
        files=read_local_files(folder, spec.bootstrap),
        catalogue=load_catalogue(),
    )
