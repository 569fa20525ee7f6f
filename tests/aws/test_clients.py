"""Clients, asked for by many threads at once: boto3's sessions are not thread-safe."""

from __future__ import annotations

import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
import pytest

from fleet.aws.clients import Aws
from fleet.errors import EndpointError

NAMES = ("ec2", "launcher", "ssm", "iam", "sts", "service_quotas", "pricing")
THREADS = 32


class _Session:
    """A session that counts the clients it makes, by service and region, and how many at the same time."""

    def __init__(self) -> None:
        self._session: Any = boto3.Session("AKIAEXAMPLE", "secret")
        self.made: Counter[tuple[str, str]] = Counter()
        self.most = 0
        self._making = 0

    def client(self, service: str, **settings: Any) -> Any:
        self._making += 1
        self.most = max(self.most, self._making)
        time.sleep(0.01)  # long enough for others to come in, if they may
        try:
            return self._session.client(service, **settings)
        finally:
            self._making -= 1
            self.made[service, settings["region_name"]] += 1


def _asked_at_once(*clouds: Aws) -> list[tuple[Aws, str, Any]]:
    """Have every client of every cloud asked for by several threads that begin together."""
    wanted = [(aws, name) for aws in clouds for name in NAMES] * (THREADS // len(NAMES))
    together = threading.Barrier(len(wanted), timeout=30)

    def ask(aws: Aws, name: str) -> tuple[Aws, str, Any]:
        together.wait()
        return aws, name, getattr(aws, name)

    with ThreadPoolExecutor(len(wanted)) as pool:
        return list(pool.map(ask, *zip(*wanted, strict=True)))


def test_threads_that_ask_at_once_get_the_same_client() -> None:
    session: Any = _Session()
    aws = Aws(session, region="eu-west-1")
    asked = _asked_at_once(aws)
    assert len({(name, id(client)) for _, name, client in asked}) == len(NAMES)
    assert all(getattr(aws, name) is client for _, name, client in asked)
    assert session.made == {
        ("ec2", "eu-west-1"): 2,  # one of them the launcher
        ("ssm", "eu-west-1"): 1,
        ("iam", "eu-west-1"): 1,
        ("sts", "eu-west-1"): 1,
        ("service-quotas", "eu-west-1"): 1,
        ("pricing", "us-east-1"): 1,
    }


def test_a_session_makes_one_client_at_a_time_for_all_regions() -> None:
    session: Any = _Session()
    here = Aws(session, region="eu-west-1")
    there, again = here.in_region("us-east-2"), Aws(session, region="eu-west-1")
    asked = _asked_at_once(here, there, again)
    assert session.most == 1
    assert len({id(client) for _, _, client in asked}) == 3 * len(NAMES)
    regions = {aws.region: aws.ec2.meta.region_name for aws, _, _ in asked}
    assert regions == {"eu-west-1": "eu-west-1", "us-east-2": "us-east-2"}


def test_a_client_that_could_not_be_made_is_made_when_it_can_be(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session: Any = _Session()
    aws = Aws(session, region="eu-west-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "nonsense")
    with pytest.raises(EndpointError, match="nonsense"):
        aws.check_settings()
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    aws.check_settings()
    assert aws.ec2 is aws.ec2
