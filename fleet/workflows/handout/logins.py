"""Logins for SSH's own clients: the fleet's key and the pinned host keys in the cache, as ssh_config or inventory.

Changes nothing in AWS.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.assets.cache import FleetCache
from fleet.assets.ssh_config import has_in, leave_out, take_in
from fleet.aws.identity import describe_identity
from fleet.plan import tags
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.handout.aliases import aliases
from fleet.plan.handout.ansible import inventory_json
from fleet.plan.handout.logins import Login, LoginFiles, known_hosts_text, ssh_config_text
from fleet.workflows.context import Context
from fleet.workflows.environment.openssh import proxy_options
from fleet.workflows.environment.status import live_instances
from fleet.workflows.record.secrets import describe_secrets

SSH_CONFIG = Path("~/.ssh/config")


@dataclass(frozen=True)
class FleetLogins:
    """Logins of the environments that can be reached; `absent` says of every other member why not."""

    fleet: str
    logins: tuple[Login, ...]
    absent: dict[str, str]
    files: LoginFiles

    def as_inventory(self) -> dict[str, Any]:
        """Give Ansible's dynamic inventory."""
        return inventory_json(self.fleet, self.logins, self.files)


@dataclass(frozen=True)
class SshConfig:
    """An ssh_config that was written, and the user's own that includes it (None: it does not)."""

    path: Path
    included_in: Path | None
    found: FleetLogins

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of `fleet ssh-config`."""
        hosts = [
            {
                "member": login.member,
                "host": login.alias,
                "address": login.address,
                "port": login.port,
                "user": login.user,
                "host_key": login.host_key,
            }
            for login in self.found.logins
        ]
        return {
            "fleet": self.found.fleet,
            "path": str(self.path),
            "included_in": str(self.included_in) if self.included_in else None,
            "hosts": hosts,
            "absent": self.found.absent,
        }


def describe_logins(context: Context, fleet: str) -> FleetLogins:
    """Describe how to log in to a fleet's environments; writes the key and the host keys to the cache first."""
    return _describe(context, fleet, _cache(context, fleet))


def write_ssh_config(context: Context, fleet: str, *, include: bool | None) -> SshConfig:
    """Write ssh_config to the cache. The user's own includes it (True), no longer (False), or stays as it is (None).

    Raises FleetError where the user's own cannot be changed.
    """
    cache = _cache(context, fleet)
    found = _describe(context, fleet, cache)
    text = ssh_config_text(fleet, found.logins, found.files, absent=found.absent)
    path = cache.write("ssh_config", text)
    own = SSH_CONFIG.expanduser()
    if include is True:
        take_in(own, path)
    elif include is False:
        leave_out(own, path)
    return SshConfig(path, own if has_in(own, path) else None, found)


def _cache(context: Context, fleet: str) -> FleetCache:
    cache = context.cache(describe_identity(context.aws).account_id, fleet)
    return dataclasses.replace(cache, root=cache.root.expanduser().absolute())


def _describe(context: Context, fleet: str, cache: FleetCache) -> FleetLogins:
    instances = {
        instance.member: instance
        for instance in live_instances(context, fleet)
        if instance.member is not None
    }
    names = aliases(fleet, instances)
    absent = {name: why for name, one in instances.items() if (why := _why_absent(one))}
    logins = tuple(
        _login(context, instance, names[name])
        for name, instance in instances.items()
        if name not in absent
    )
    key = cache.write("ssh-key", describe_secrets(context, fleet).private_key)
    known = cache.write("known_hosts", known_hosts_text(logins))
    return FleetLogins(fleet, logins, absent, LoginFiles(str(key), str(known)))


def _why_absent(instance: InstanceFact) -> str:
    if instance.state != "running" or not instance.address:
        return f"its instance is {instance.state}"
    if not instance.tags.get(tags.HOST_KEY):
        return "its host key is not recorded yet; `fleet up` goes on with it"
    return ""


def _login(context: Context, instance: InstanceFact, alias: str) -> Login:
    return Login(
        member=instance.member or "",
        alias=alias,
        instance_id=instance.instance_id,
        address=instance.address or "",
        port=context.settings.ssh_port,
        user=instance.login_user,
        host_key=instance.tags[tags.HOST_KEY],
        proxy=proxy_options(context, instance).get("ProxyCommand", ""),
    )
