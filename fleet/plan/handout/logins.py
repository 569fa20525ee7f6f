"""How SSH's own clients reach a fleet's environments: ssh_config and known_hosts, rendered. Pure.

Host keys are pinned by instance, not by address: an address that AWS hands on to another instance raises no false
alarm. Forms of both files: ssh_config(5), and sshd(8) "SSH_KNOWN_HOSTS FILE FORMAT".
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

CONNECT_SECONDS = 20


@dataclass(frozen=True)
class Login:
    """Where one member's SSH is, and as whom whoever runs the fleet logs in there.

    `host_key` is the pinned `type base64`. `proxy` is OpenSSH's ProxyCommand, empty where nothing stands in between.
    """

    member: str
    alias: str
    instance_id: str
    address: str
    port: int
    user: str
    host_key: str
    proxy: str

    @property
    def host_key_alias(self) -> str:
        """The name under which known_hosts pins its key."""
        return f"fleet-{self.instance_id}"


@dataclass(frozen=True)
class LoginFiles:
    """Paths of what a login needs on this machine: the fleet's private key, and the pinned host keys."""

    key: str
    known_hosts: str


def known_hosts_text(logins: Iterable[Login]) -> str:
    """Write known_hosts: a line for each environment."""
    return "".join(f"{login.host_key_alias} {login.host_key}\n" for login in logins)


def login_options(login: Login, files: LoginFiles) -> dict[str, str]:
    """Give OpenSSH's options that make a login find its key, and take no host but the one that is pinned."""
    options = {
        "IdentityFile": _quoted(files.key),
        "IdentitiesOnly": "yes",
        "HostKeyAlias": login.host_key_alias,
        "UserKnownHostsFile": _quoted(files.known_hosts),
        "GlobalKnownHostsFile": "/dev/null",
        "StrictHostKeyChecking": "yes",
        "ConnectTimeout": str(CONNECT_SECONDS),
    }
    return options | ({"ProxyCommand": login.proxy} if login.proxy else {})


def ssh_config_text(
    fleet: str, logins: Iterable[Login], files: LoginFiles, *, absent: Mapping[str, str]
) -> str:
    """Write ssh_config: a Host block for each environment; `absent` says why others have none, by member."""
    head = f"# Environments of fleet {fleet}. `fleet ssh-config {fleet}` writes this file anew each time.\n"
    notes = "".join(f"# {member}: {reason}\n" for member, reason in absent.items())
    return head + notes + "".join(_block(login, files) for login in logins)


def _block(login: Login, files: LoginFiles) -> str:
    options = {"HostName": login.address, "Port": str(login.port), "User": login.user}
    lines = (options | login_options(login, files)).items()
    body = "".join(f"  {name} {value}\n" for name, value in lines)
    return f"\n# {login.member}\nHost {login.alias}\n{body}"


def _quoted(path: str) -> str:
    """Quote a path: blanks would end it, and a percent sign would begin a token."""
    escaped = path.replace("%", "%%").replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
