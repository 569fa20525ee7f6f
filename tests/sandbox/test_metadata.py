"""The instance metadata service: IMDSv2 as EC2 documents it."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from fleet.sandbox.cloud.metadata import InstanceMetadata
from fleet.sandbox.metadata import BELOW, MetadataService

ANA, BEN = "10.77.0.2", "10.77.0.3"
TTL = {"HTTP_X_AWS_EC2_METADATA_TOKEN_TTL_SECONDS": "60"}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def metadata(
    *,
    tokens_required: bool = True,
    notice: Mapping[str, str] | None = None,
    rebalance: Mapping[str, str] | None = None,
) -> InstanceMetadata:
    return InstanceMetadata(
        instance_id="i-1",
        texts={"instance-id": "i-1", "placement/region": "us-east-1"},
        identity={"instanceId": "i-1"},
        key_name="fleet-a",
        public_key="ssh-ed25519 AAAA",
        user_data=b"#cloud-config\n",
        notice=notice or {},
        tokens_required=tokens_required,
        enabled=True,
        rebalance=rebalance or {},
    )


class Asking:
    """Asks a service as the host at an address."""

    def __init__(self, **told: object) -> None:
        self.clock = Clock()
        known = metadata(**told)  # type: ignore[arg-type]
        find = {ANA: known, BEN: known}.get
        self._service = MetadataService(find, clock=self.clock)

    def __call__(
        self,
        path: str,
        *,
        address: str = ANA,
        method: str = "GET",
        **headers: str,
    ) -> tuple[str, str]:
        status: list[str] = []

        def start(line: str, _headers: object, _error: object = None) -> object:
            status.append(line)
            return None

        environ = {"REMOTE_ADDR": address, "PATH_INFO": path, "REQUEST_METHOD": method, **headers}
        service = self._service.below if path.startswith(BELOW) else self._service
        body = b"".join(service(environ, start))  # type: ignore[arg-type]
        return status[0][:3], body.decode()

    def token(self, address: str = ANA) -> dict[str, str]:
        status, body = self("/latest/api/token", address=address, method="PUT", **TTL)
        assert status == "200"
        return {"HTTP_X_AWS_EC2_METADATA_TOKEN": body}


def test_nothing_is_told_without_a_token() -> None:
    ask = Asking()
    assert ask("/latest/user-data") == ("401", "")
    assert ask("/latest/user-data", **ask.token()) == ("200", "#cloud-config\n")


def test_a_token_is_its_hosts_own_and_ends() -> None:
    ask = Asking()
    token = ask.token()
    assert ask("/latest/user-data", address=BEN, **token)[0] == "401"
    ask.clock.now = 60.0
    assert ask("/latest/user-data", **token)[0] == "401"


def test_v1_answers_where_the_instance_allows_it() -> None:
    assert Asking(tokens_required=False)("/latest/meta-data/instance-id") == ("200", "i-1")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/latest/meta-data/placement/region", "us-east-1"),
        ("/latest/meta-data/placement", "region"),
        ("/latest/meta-data/public-keys/", "0=fleet-a"),
        ("/latest/meta-data/public-keys/0/openssh-key", "ssh-ed25519 AAAA"),
        ("/latest/dynamic/instance-identity/document", '{\n  "instanceId": "i-1"\n}'),
    ],
)
def test_what_stands_where(path: str, body: str) -> None:
    ask = Asking()
    assert ask(path, **ask.token()) == ("200", body)


def test_a_spot_notice_is_there_once_it_is_given() -> None:
    quiet, noticed = (
        Asking(),
        Asking(notice={"action": "terminate", "time": "2026-11-21T12:00:00Z"}),
    )
    where = "/latest/meta-data/spot/instance-action"
    assert quiet(where, **quiet.token())[0] == "404"
    assert '"action": "terminate"' in noticed(where, **noticed.token())[1]


def test_a_rebalance_recommendation_is_there_once_it_is_given() -> None:
    quiet, told = Asking(), Asking(rebalance={"noticeTime": "2026-11-21T12:00:00Z"})
    where = "/latest/meta-data/events/recommendations/rebalance"
    assert quiet(where, **quiet.token())[0] == "404"
    assert told(where, **told.token()) == ("200", '{"noticeTime": "2026-11-21T12:00:00Z"}')


def test_a_stranger_is_told_nothing() -> None:
    assert Asking()("/latest/api/token", address="10.77.9.9", method="PUT", **TTL)[0] == "403"


def test_hosts_on_one_address_have_a_path_each() -> None:
    ask = Asking()

    def below(path: str, **headers: str) -> tuple[str, str]:
        return ask(f"{BELOW}{path}", address="127.0.0.1", **headers)

    token = ask.token()
    where = "latest/meta-data/placement/region"
    assert below(f"{ANA}/latest/api/token", method="PUT", **TTL)[0] == "200"
    assert below(f"{ANA}/{where}", **token) == ("200", "us-east-1")
    assert below(f"{BEN}/{where}", **token)[0] == "401"
    assert below(f"10.77.9.9/{where}", **token)[0] == "403"
