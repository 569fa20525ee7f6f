"""What container hosts are born with, and the words for what befalls their links."""

from __future__ import annotations

import pytest

from fleet.sandbox.containers.ailments import amount_of, files_of, link_of, login_user
from fleet.sandbox.containers.links import WHOLE, Link
from fleet.sandbox.driver import Ailment
from fleet.sandbox.faults import KINDS, read_conditions
from tests.command import Cli

OF_HOSTS = [kind for kind in KINDS.values() if kind.of_host]


@pytest.mark.parametrize("kind", OF_HOSTS, ids=lambda kind: kind.name)
def test_every_ailment_makes_a_host_another(kind: object) -> None:
    name, *words = kind.example.split()  # type: ignore[attr-defined]
    options = {
        flag.removeprefix("--"): text for flag, text in zip(words[::2], words[1::2], strict=True)
    }
    ailments = (Ailment(name, read_conditions(name, options).amount),)
    assert (
        files_of(ailments)
        or link_of(ailments) != WHOLE
        or login_user(ailments, usual="ubuntu") != "ubuntu"
        or amount_of(ailments, name)
    )


def test_a_host_without_any_is_as_it_should_be() -> None:
    assert files_of(()) == {}
    assert link_of(()) == WHOLE
    assert login_user((), usual="ubuntu") == "ubuntu"
    assert amount_of((), "small-disk") == 0


@pytest.mark.parametrize(
    ("link", "words"),
    [
        (WHOLE, "whole"),
        (Link(cut=True), "cut"),
        (Link(rate="2mbit", loss=300), "2mbit, 30% lost"),
        (Link(delay_ms=100, unserved=True), "no packages, 100 ms late"),
    ],
)
def test_a_link_is_told_in_a_few_words(link: Link, words: str) -> None:
    assert link.words == words


@pytest.mark.slow
@pytest.mark.parametrize(
    "words", [("host", "cut", "ana"), ("host", "list"), ("fault", "add", "mute-ssh")], ids=" ".join
)
def test_hosts_that_are_processes_know_none_of_it(cli: Cli, words: tuple[str, ...]) -> None:
    cli.json("sandbox", "start", "-o", "json")
    said = cli("sandbox", *words)
    assert said.returncode == 2
    assert "this sandbox's hosts are processes" in said.stderr
    assert "fleet sandbox start --hosts container" in said.stderr
    assert "Traceback" not in said.stderr
