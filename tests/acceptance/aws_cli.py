"""The stock AWS CLI, and what it sees of a fleet."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.command import Cli


def find_or_install(folder: Path) -> str:
    """Give the AWS CLI of this machine, or one installed from the package index; skip where neither is to be had."""
    if found := shutil.which("aws"):
        tried = subprocess.run([found, "--version"], capture_output=True, timeout=60, check=False)
        if tried.returncode == 0:
            return found
    uv = str(Path(sys.executable).with_name("uv"))
    for words in (
        [uv, "venv", "--quiet", "--python", sys.executable, str(folder)],
        [uv, "pip", "install", "--quiet", "--python", str(folder / "bin/python"), "awscli"],
    ):
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode != 0:
            pytest.skip(f"the AWS CLI is not here and cannot be installed: {done.stderr.strip()}")
    return str(folder / "bin/aws")


def ask(cli: Cli, aws: str, *words: str, query: str) -> Any:
    done = subprocess.run(
        [aws, *words, "--query", query, "--output", "json"],
        env=cli.sandbox_environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def seen(cli: Cli, aws: str, fleet: str) -> dict[str, Any]:
    """Everything of the fleet, by its tag."""
    tag = ("--filters", f"Name=tag:fleet:name,Values={fleet}")
    live = (*tag, "Name=instance-state-name,Values=pending,running,stopping,stopped")

    def ec2(what: str, filters: tuple[str, ...], query: str) -> Any:
        return ask(cli, aws, "ec2", what, *filters, query=query)

    return {
        "members": ec2(
            "describe-instances",
            live,
            "sort(Reservations[].Instances[].Tags[] | [?Key=='fleet:member'].Value)",
        ),
        "ports": ec2(
            "describe-security-groups", tag, "sort(SecurityGroups[].IpPermissions[].FromPort)"
        ),
        "templates": ec2("describe-launch-templates", tag, "LaunchTemplates[].LaunchTemplateName"),
        "keys": ec2("describe-key-pairs", tag, "KeyPairs[].KeyName"),
        "sizes": ec2("describe-volumes", tag, "Volumes[].Size"),
        "parameters": ask(
            cli,
            aws,
            "ssm",
            "get-parameters-by-path",
            "--path",
            f"/fleet/{fleet}",
            query="sort(Parameters[].Name)",
        ),
    }
