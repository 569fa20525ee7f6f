"""A host's console: what EC2's GetConsoleOutput would show of its boot."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fleet.sandbox.hosts.environment import host_name

if TYPE_CHECKING:
    import asyncssh

    from fleet.sandbox.driver import HostConfig
    from fleet.sandbox.hosts.paths import HostPaths

_FILE = "console"


def _write(paths: HostPaths, text: str) -> None:
    with (paths.log / _FILE).open("a") as file:
        file.write(text)


def begin(paths: HostPaths, host: HostConfig) -> None:
    """The lines of a boot's beginning."""
    _write(
        paths,
        f"[    0.000000] Linux version 6.8.0-1021-aws (sandbox) {host.instance_id}\n"
        f"[    0.412031] systemd[1]: Hostname set to <{host_name(host.address)}>.\n"
        f"Cloud-init v. 24.4 running 'init-local'\n",
    )


def finish(paths: HostPaths, host: HostConfig, key: asyncssh.SSHKey) -> None:
    """The host key in cloud-init's two blocks, then the login prompt.

    The first block carries syslog's prefixes, the second does not: so cloud-init's
    write-ssh-key-fingerprints prints them.
    """
    public = key.export_public_key().decode().strip()
    now = datetime.now(UTC).strftime("%b %d %H:%M:%S")
    comment = f"root@{host_name(host.address)}"
    lines = [
        "#" * 61,
        "-----BEGIN SSH HOST KEY FINGERPRINTS-----",
        f"256 {key.get_fingerprint()} {comment} (ED25519)",
        "-----END SSH HOST KEY FINGERPRINTS-----",
        "#" * 61,
    ]
    _write(
        paths,
        "".join(f"<14>{now} cloud-init: {line}\n" for line in lines[:1])
        + "".join(f"<14>{now} ec2: {line}\n" for line in lines[1:])
        + f"-----BEGIN SSH HOST KEY KEYS-----\n{public}\n-----END SSH HOST KEY KEYS-----\n"
        + "Cloud-init v. 24.4 finished. Datasource DataSourceEc2Local.\n\n"
        + f"{host_name(host.address)} login: ",
    )


def read(paths: HostPaths) -> str:
    """All of it so far."""
    try:
        return (paths.log / _FILE).read_text()
    except FileNotFoundError:
        return ""
