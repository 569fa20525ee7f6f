"""An image that was made of an environment: another environment begins with all that was installed there."""

from __future__ import annotations

from pathlib import Path

import boto3
import pytest

from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def test_an_environment_begins_with_what_was_baked(
    own: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = write_spec(tmp_path, "first", members="[ana]", bootstrap="{packages: [einops]}")
    (ana,) = own.json("--sandbox", "up", str(first), "-o", "json")["environments"]
    assert own("--sandbox", "exec", "first", "--", "echo mine >~/note").returncode == 0
    image = _image_of(own, ana["instance_id"], monkeypatch)
    assert own("--sandbox", "down", "first").returncode == 0

    spec = write_spec(
        tmp_path,
        "second",
        members="[ben]",
        image=f"{{id: {image}}}",
        bootstrap="{packages: [einops]}",
    )
    done = own("--sandbox", "up", str(spec))
    assert done.returncode == 0, done.stderr
    (ben,) = own.json("--sandbox", "urls", "second", "-o", "json")["environments"]
    assert ben["jupyter_url"] != ana["jupyter_url"]
    look = [
        "~/.fleet/kernels/fleet-pytorch/bin/python -c 'import einops, torch'",
        "test ~/.fleet/jupyter/.fleet-installed -ot ~/.ssh/authorized_keys",  # before its first boot
        "cat ~/note",
    ]
    words = ("--sandbox", "exec", "-o", "json", "second", "--", " && ".join(look))
    (said,) = own.json(*words)["results"]
    assert (said["exit_status"], said["stdout"]) == (0, "mine\n"), said["stderr"]
    assert own("--sandbox", "down", "second").returncode == 0


def _image_of(own: Cli, instance_id: str, monkeypatch: pytest.MonkeyPatch) -> str:
    for name, value in own.sandbox_environment().items():
        monkeypatch.setenv(name, value)
    ec2 = boto3.Session(region_name="us-east-1").client("ec2")
    made = ec2.create_image(InstanceId=instance_id, Name="baked")["ImageId"]
    ec2.get_waiter("image_available").wait(
        ImageIds=[made], WaiterConfig={"Delay": 1, "MaxAttempts": 300}
    )
    return made
