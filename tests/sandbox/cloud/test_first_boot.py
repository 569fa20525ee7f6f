"""The first boot of a host, over a cloud of the test's own: moto knows one cloud at a time in a process."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest

from tests.sandbox.cloud.asking import (
    PUBLIC_KEY,
    create_fleet,
    instances,
    launched,
    overrides,
    states,
    template,
)
from tests.sandbox.cloud.recording import QUICK, Served, eventually, serve

pytestmark = pytest.mark.slow


@pytest.fixture
def patient() -> Iterator[Served]:
    """A cloud of its own whose instances are pending so long that a busy machine sees it."""
    with serve(dataclasses.replace(QUICK, pending_seconds=2.0)) as served:
        yield served


def test_a_host_boots_with_what_the_launch_says(patient: Served) -> None:
    answer = create_fleet(patient, template(patient), overrides(patient, ["g5.12xlarge"], "a"), 1)
    (instance_id,) = launched(answer)
    assert states(patient) == {"pending"}
    eventually(lambda: states(patient), lambda found: found == {"running"})
    host = eventually(lambda: patient.driver.booted.get(instance_id), bool)
    assert host is not None
    (instance,) = instances(patient)
    assert host.address == instance["PublicIpAddress"] == instance["PrivateIpAddress"]
    assert instance["PublicDnsName"] == host.address
    assert host.address.startswith("127.")
    assert host.user == "ubuntu"
    assert host.authorized_keys == (PUBLIC_KEY.decode(),)
    assert host.user_data == b"#cloud-config\n"
    assert [(g.name, g.memory_mib) for g in host.gpus] == [("NVIDIA A10G", 22888)] * 4
