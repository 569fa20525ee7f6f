"""What of the caller's environment reaches a host."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from fleet.sandbox.driver import HostConfig
from fleet.sandbox.hosts.environment import host_environment, index_settings
from fleet.sandbox.hosts.paths import HostPaths


@pytest.mark.parametrize(
    "name",
    [
        *("PIP_INDEX_URL", "PIP_CERT", "PIP_FIND_LINKS", "PIP_CONFIG_FILE", "UV_DEFAULT_INDEX"),
        *("UV_INDEX_URL", "UV_INDEX_MIRROR_USERNAME", "UV_NATIVE_TLS", "SSL_CERT_FILE"),
        *("REQUESTS_CA_BUNDLE", "https_proxy", "HTTPS_PROXY", "no_proxy"),
    ],
)
def test_what_reaches_an_index_comes_along(name: str) -> None:
    assert index_settings({name: "x"}) == {name: "x"}


@pytest.mark.parametrize(
    "name",
    [
        *("AWS_SECRET_ACCESS_KEY", "HOME", "PATH", "PYTHONPATH", "VIRTUAL_ENV", "PIP_TARGET"),
        *("PIP_USER", "PIP_REQUIRE_VIRTUALENV", "UV_PYTHON", "UV_CACHE_DIR", "LD_PRELOAD"),
        *("XSSL_CERT_FILE", "FLEET_SANDBOX_DIR", "UV_PROJECT_ENVIRONMENT"),
    ],
)
def test_everything_else_stays_behind(name: str) -> None:
    assert index_settings({name: "x"}) == {}


def test_the_caller_s_own_configuration_is_honoured(tmp_path: Path) -> None:
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").touch()
    (tmp_path / ".config/uv").mkdir()
    (tmp_path / ".config/uv/uv.toml").touch()
    assert index_settings({"HOME": str(tmp_path)}) == {
        "PIP_CONFIG_FILE": str(tmp_path / ".config/pip/pip.conf"),
        "UV_CONFIG_FILE": str(tmp_path / ".config/uv/uv.toml"),
    }
    assert index_settings({"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"})[
        "PIP_CONFIG_FILE"
    ] == ("/dev/null")


def test_hosts_share_uv_s_cache() -> None:
    config = HostConfig("i-1", "127.64.0.1", 22, "ubuntu", (), (), b"", 0.0)
    paths = HostPaths(Path("/s/hosts/i-1"), "ubuntu")
    found = host_environment(config, paths, environ={}, cache=Path("/s/cache"))
    assert found["UV_CACHE_DIR"] == "/s/cache/uv"
    assert found["HOSTNAME"] == "ip-127-64-0-1"
    assert found["PATH"].split(":")[0] == "/s/hosts/i-1/bin"
    assert "python" not in " ".join(found).lower()


def test_a_host_knows_where_its_instance_metadata_is() -> None:
    plain = HostConfig("i-1", "127.64.0.1", 22, "ubuntu", (), (), b"", 0.0)
    config = replace(plain, metadata_url="http://127.0.0.1:5000/_metadata/127.64.0.1")
    paths = HostPaths(Path("/s/hosts/i-1"), "ubuntu")
    named = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
    assert named not in host_environment(plain, paths, environ={}, cache=Path("/s"))
    found = host_environment(config, paths, environ={}, cache=Path("/s"))
    assert found[named] == config.metadata_url
