"""A host with real systemd, cloud-init and sshd is sanitised: what starts from its disk is another host, and ready."""

from __future__ import annotations

import pytest

from fleet.workflows.bake.host import scan
from tests.acceptance.builder import building
from tests.acceptance.containers.running import ON_CONTAINERS, on_host
from tests.acceptance.containers.standing import OF_ONE_INSTANCE, Image
from tests.command import Cli

pytestmark = ON_CONTAINERS


def test_what_must_not_be_on_an_image_is_found(image: Image) -> None:
    assert image.found == {
        "/home/ubuntu/.aws/credentials",
        "/home/ubuntu/.bash_history",
        "/home/ubuntu/.netrc",
        "/root/.bash_history",
        "/var/log/setup.log",
    }


def test_nothing_is_left_of_it_on_a_builder_that_still_ends_itself(image: Image) -> None:
    assert image.left == frozenset()
    assert image.ends_at not in {"", "n/a"}, "a builder that is forgotten still ends itself"
    assert "no SSH connection" in image.refusal, "its server has no key by which to be known"


@pytest.mark.usefixtures("studio")
def test_nothing_of_the_builder_is_on_what_starts_from_its_image(
    hosts: Cli, image: Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    after = on_host(hosts, "studio", "ana", OF_ONE_INSTANCE).splitlines()
    assert len(after) == len(image.of_the_builder)
    assert not set(after) & image.of_the_builder
    assert on_host(hosts, "studio", "ana", "cat ~/kept; ls -A ~/.aws 2>&1 | tail -1").startswith(
        "kept\nls:"
    )
    look = "systemctl is-active fleet-lifetime fleet-jupyter fleet-expiry.timer | sort -u; systemctl --failed -q"
    assert on_host(hosts, "studio", "ana", look).split() == ["active"]
    with building(hosts, "studio", monkeypatch, member="ana") as fresh:
        assert scan(fresh.host, known=image.secrets, sanitised=False, deadline=fresh.deadline) == ()
