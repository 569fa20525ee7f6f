"""Every framework that an image holds is a kernel of the person's own, and the proof runs its cell in the asked one."""

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
from fleet.workflows.launch.prepare import prepare_up
from fleet.workflows.launch.up import apply_up
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

ASK = """
import jupyter_client, sys
with jupyter_client.run_kernel(kernel_name=sys.argv[1]) as client:
    client.execute_interactive("import torch, sys, einops; print(torch.__version__, sys.prefix)", timeout=120)
"""


def test_the_framework_of_the_image_is_the_default_kernel(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("sandbox", "start").returncode == 0
    for name, value in cli.sandbox_environment().items():
        monkeypatch.setenv(name, value)
    written = write_spec(
        tmp_path,
        "kernel",
        members="[solo]",
        bootstrap="{packages: [einops], files: {./ask.py: ~/}}",
    )
    (tmp_path / "ask.py").write_text(ASK)
    spec = read_spec(written, overrides=Overrides())
    context = Context(
        aws=Aws(boto3.Session(), region="us-east-1"), settings=settings_from(os.environ)
    )
    plan = prepare_up(context, spec, folder=tmp_path)
    python = _framework_environment(tmp_path)
    image = dataclasses.replace(plan.image, interpreters=("/nowhere/python", str(python)))
    (solo,) = apply_up(context, dataclasses.replace(plan, image=image)).environments
    assert (solo.state, solo.reason) == ("ready", "")

    listing = "~/.fleet/jupyter/bin/jupyter kernelspec list --json"
    kernel = json.loads(_said(cli, listing))["kernelspecs"]["fleet-pytorch"]["spec"]
    assert kernel["display_name"] == f"PyTorch 2.9.1 ({python.parent.parent})"

    # The kernel sees what the image has; what is installed stays with the person.
    home = _said(cli, "echo ~").strip()
    assert kernel["argv"][0] == f"{home}/.fleet/kernels/fleet-pytorch/bin/python"
    request = _said(cli, "~/.fleet/jupyter/bin/python ~/ask.py fleet-pytorch").split()
    assert request == ["2.9.1+cu130", f"{home}/.fleet/kernels/fleet-pytorch"]
    for module in ("ipykernel", "einops"):
        there = [str(python), "-c", f"import {module}"]
        assert subprocess.run(there, capture_output=True, timeout=60, check=False).returncode == 1
    cli("--sandbox", "down", "kernel")


def _said(cli: Cli, line: str) -> str:
    (shown,) = cli.json("--sandbox", "exec", "-o", "json", "kernel", "--", line)["results"]
    assert shown["exit_status"] == 0, shown["stderr"]
    return str(shown["stdout"])


def _framework_environment(folder: Path) -> Path:
    """Make an environment as a DLAMI has one: its own interpreter with the framework, without ipykernel."""
    uv = str(Path(sys.executable).with_name("uv"))
    where = folder / "opt" / "pytorch"
    subprocess.run([uv, "venv", "--quiet", str(where)], timeout=120, check=True)
    (site,) = where.glob("lib/python3*/site-packages")
    (site / "torch.py").write_text("__version__ = '2.9.1+cu130'\n")
    return where / "bin" / "python"
