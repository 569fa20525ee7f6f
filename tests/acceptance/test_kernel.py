"""The image's own framework environment is the default kernel, and the proof runs its cell there."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from fleet.assets.spec_files import read_spec
from fleet.aws.clients import Aws
from fleet.spec.load import Overrides
from fleet.workflows.context import Context, settings_from
from fleet.workflows.planning import plan_up
from fleet.workflows.up import apply_up
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_the_framework_of_the_image_is_the_default_kernel(
    own: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert own("sandbox", "start").returncode == 0
    for name, value in own.sandbox_environment().items():
        monkeypatch.setenv(name, value)
    spec = read_spec(write_spec(tmp_path, "kernel", members="[solo]"), overrides=Overrides())
    context = Context(
        aws=Aws(boto3.Session(), region="us-east-1"), settings=settings_from(os.environ)
    )
    plan = plan_up(context, spec, folder=tmp_path)
    python = _framework_environment(tmp_path)
    image = dataclasses.replace(plan.image, interpreters=("/nowhere/python", str(python)))
    (solo,) = apply_up(context, dataclasses.replace(plan, image=image)).environments
    assert (solo.state, solo.reason) == ("ready", "")

    listing = "~/.fleet/jupyter/bin/jupyter kernelspec list --json"
    (shown,) = own.json("--sandbox", "exec", "-o", "json", "kernel", "--", listing)["results"]
    kernels = json.loads(shown["stdout"])["kernelspecs"]
    assert kernels["fleet-pytorch"]["spec"]["argv"][0] == str(python)
    assert kernels["fleet-pytorch"]["spec"]["display_name"] == "pytorch (DLAMI)"
    has_ipykernel = [str(python), "-c", "import ipykernel"]
    assert (
        subprocess.run(has_ipykernel, capture_output=True, timeout=60, check=False).returncode == 1
    )
    own("--sandbox", "down", "kernel")


def _framework_environment(folder: Path) -> Path:
    """Make an environment as a DLAMI has one: its own interpreter, without ipykernel."""
    uv = str(Path(sys.executable).with_name("uv"))
    where = folder / "opt" / "pytorch"
    subprocess.run([uv, "venv", "--quiet", str(where)], timeout=120, check=True)
    return where / "bin" / "python"
