"""The environment that every process of a host starts with.

Built from scratch, so that a host looks like a host and holds no secret of whoever started the
sandbox. Only what a package installer needs to reach its index comes along.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.sandbox.strays import MARK

if TYPE_CHECKING:
    from fleet.sandbox.driver import HostConfig
    from fleet.sandbox.hosts.paths import HostPaths

_INDEX_SETTINGS = re.compile(
    r"""PIP_(CONFIG_FILE|INDEX_URL|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|TRUSTED_HOST|CERT|CLIENT_CERT
          |PROXY|TIMEOUT|DEFAULT_TIMEOUT|RETRIES|CONSTRAINT|PREFER_BINARY|USE_FEATURE
          |DISABLE_PIP_VERSION_CHECK)
      | UV_(CONFIG_FILE|DEFAULT_INDEX|INDEX.*|EXTRA_INDEX_URL|FIND_LINKS|NO_INDEX|INSECURE_HOST
          |NATIVE_TLS|SYSTEM_CERTS|HTTP_TIMEOUT|HTTP_RETRIES|OFFLINE|CONCURRENT_.*|CONSTRAINT
          |KEYRING_PROVIDER|EXCLUDE_NEWER)
      | SSL_CERT_(FILE|DIR) | REQUESTS_CA_BUNDLE | CURL_CA_BUNDLE
      | (?i:(http|https|all|no|ftp)_proxy)""",
    re.VERBOSE,
)


def host_name(address: str) -> str:
    """EC2's resource name of an address."""
    return "ip-" + address.replace(".", "-")


def _configuration(environ: Mapping[str, str]) -> dict[str, str]:
    """Where pip and uv of the person at the keyboard are configured: a host's home has no such
    file."""
    home = Path(environ.get("HOME", "/nonexistent"))
    config = Path(environ.get("XDG_CONFIG_HOME") or home / ".config")
    found = {}
    pip = [config / "pip/pip.conf", home / ".pip/pip.conf"]
    for name, places in (("PIP_CONFIG_FILE", pip), ("UV_CONFIG_FILE", [config / "uv/uv.toml"])):
        present = [str(place) for place in places if place.is_file()]
        found.update(dict.fromkeys([name] * len(present[:1]), "".join(present[:1])))
    return found


def index_settings(environ: Mapping[str, str]) -> dict[str, str]:
    """What `environ` says about reaching a package index, and nothing else of it."""
    kept = {name: text for name, text in environ.items() if _INDEX_SETTINGS.fullmatch(name)}
    return {**_configuration(environ), **kept}


def search_path(paths: HostPaths) -> str:
    """PATH on a host: its stand-ins, python3 and uv, what was installed on it, the machine's
    programs."""
    own = [paths.bin, paths.tools, paths.root / "usr/local/bin"]
    return ":".join([*map(str, own), "/usr/local/bin", "/usr/bin", "/bin"])


def host_environment(
    host: HostConfig, paths: HostPaths, *, environ: Mapping[str, str], cache: Path
) -> dict[str, str]:
    """The environment of a host's processes. `cache` is uv's, shared by all hosts of a sandbox."""
    named = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": host.metadata_url} if host.metadata_url else {}
    return {
        **index_settings(environ),
        **named,
        "HOME": str(paths.home),
        "USER": host.user,
        "LOGNAME": host.user,
        "SHELL": "/bin/bash",
        "PATH": search_path(paths),
        "TMPDIR": str(paths.tmp),
        "LANG": "C.UTF-8",
        "HOSTNAME": host_name(host.address),
        "XDG_RUNTIME_DIR": str(paths.top / "run"),
        "XDG_CONFIG_HOME": str(paths.home / ".config"),
        "XDG_CACHE_HOME": str(paths.home / ".cache"),
        "XDG_DATA_HOME": str(paths.home / ".local/share"),
        "XDG_STATE_HOME": str(paths.home / ".local/state"),
        "UV_CACHE_DIR": str(cache / "uv"),
        MARK: str(paths.top),
    }
