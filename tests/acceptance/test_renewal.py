"""A certificate is renewed when it does not serve any more, and left alone as long as it does."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path
from typing import Any

import boto3
import pytest

from fleet.jupyter.certificates import issue_certificate
from tests.command import Cli, write_spec

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def client(cli: Cli, service: str) -> Any:
    values = cli.sandbox_environment()
    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=values["AWS_ENDPOINT_URL"],
        region_name=values["AWS_REGION"],
        aws_access_key_id=values["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=values["AWS_SECRET_ACCESS_KEY"],
    )


def shown(address: str, port: int, authority: str) -> dict[str, Any]:
    """The certificate of a port, verified for its address under an authority."""
    context = ssl.create_default_context(cadata=authority)
    with (
        socket.create_connection((address, port), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=address) as secured,
    ):
        return dict(secured.getpeercert() or {})


def test_an_address_that_changed_while_stopped_and_another_authority(
    own: Cli, tmp_path: Path
) -> None:
    spec = write_spec(tmp_path, "moved", members="[solo]")

    def up() -> tuple[str, str]:
        (solo,) = own.json("--sandbox", "up", str(spec), "-o", "json")["environments"]
        assert solo["state"] == "ready"
        return solo["address"], solo["instance_id"]

    address, instance_id = up()
    file = own.folder / "sandbox" / "hosts" / instance_id / "home/ubuntu/.fleet/server.pem"
    first = file.read_text()
    up()
    assert file.read_text() == first, "it serves: a second up leaves it alone"

    # Stopped and started, an instance has another public address: its certificate names the one before.
    ec2, ssm = client(own, "ec2"), client(own, "ssm")
    name = "/fleet/moved/certificate-authority"
    authority = ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
    ec2.stop_instances(InstanceIds=[instance_id])
    ec2.get_waiter("instance_stopped").wait(
        InstanceIds=[instance_id], WaiterConfig={"Delay": 1, "MaxAttempts": 120}
    )
    file.write_text(issue_certificate(authority, ("203.0.113.9", "localhost")))
    assert up() == (address, instance_id)
    trusted = own("--sandbox", "ca", "moved").stdout
    for port in (8888, 6006):
        names = shown(address, port, trusted)["subjectAltName"]
        assert ("IP Address", address) in names
        assert ("IP Address", "203.0.113.9") not in names

    # Without its authority a fleet gets another one, and every environment a certificate of that.
    ssm.delete_parameters(Names=[name])
    up()
    another = own("--sandbox", "ca", "moved").stdout
    assert another != trusted
    for port in (8888, 6006):
        assert shown(address, port, another)
        with pytest.raises(ssl.SSLCertVerificationError):
            shown(address, port, trusted)
    assert own("--sandbox", "down", "moved").returncode == 0
