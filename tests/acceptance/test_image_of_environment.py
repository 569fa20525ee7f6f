"""An image that somebody makes in the console: another environment begins with all that was installed on the first."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.acceptance.aws import client, wait
from tests.command import Cli, write_spec

# Deep: `test_bake` makes an image of an environment in every run.
pytestmark = [pytest.mark.slow, pytest.mark.deep, pytest.mark.timeout(1800)]


def test_an_environment_begins_with_what_was_baked(cli: Cli, tmp_path: Path) -> None:
    first = write_spec(tmp_path, "first", members="[ana]", bootstrap="{packages: [einops]}")
    (ana,) = cli.json("--sandbox", "up", str(first), "-o", "json")["environments"]
    assert cli("--sandbox", "exec", "first", "--", "echo mine >~/note").returncode == 0
    image = _image_of(cli, ana["instance_id"])
    assert cli("--sandbox", "down", "first").returncode == 0

    spec = write_spec(
        tmp_path,
        "second",
        members="[ben]",
        image=f"{{id: {image}}}",
        bootstrap="{packages: [einops]}",
    )
    done = cli("--sandbox", "up", str(spec))
    assert done.returncode == 0, done.stderr
    (ben,) = cli.json("--sandbox", "urls", "second", "-o", "json")["environments"]
    assert ben["jupyter_url"] != ana["jupyter_url"]
    look = [
        "~/.fleet/kernels/fleet-pytorch/bin/python -c 'import einops, torch'",
        "test ~/.fleet/jupyter/.fleet-installed -ot ~/.ssh/authorized_keys",  # before its first boot
        "cat ~/note",
    ]
    words = ("--sandbox", "exec", "-o", "json", "second", "--", " && ".join(look))
    (said,) = cli.json(*words)["results"]
    assert (said["exit_status"], said["stdout"]) == (0, "mine\n"), said["stderr"]
    assert cli("--sandbox", "down", "second").returncode == 0


def _image_of(cli: Cli, instance_id: str) -> str:
    ec2 = client(cli, "ec2")
    made: str = ec2.create_image(InstanceId=instance_id, Name="baked")["ImageId"]
    wait(ec2, "image_available", ImageIds=[made])
    return made
