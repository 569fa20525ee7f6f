"""Renders logins as Ansible's dynamic inventory. Pure.

Form: Ansible's developer guide, "Developing dynamic inventory"; `ansible_*`: its list of special variables.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from typing import Any

from fleet.plan.handout.logins import Login, LoginFiles, login_options


def inventory_json(fleet: str, logins: Iterable[Login], files: LoginFiles) -> dict[str, Any]:
    """Give the answer to `--list`: one group, named as the fleet (with `_` for `-`), and every host's variables."""
    found = tuple(logins)
    group = fleet.replace("-", "_")
    return {
        group: {"hosts": [login.alias for login in found]},
        "all": {"children": ["ungrouped", group]},
        "_meta": {"hostvars": {login.alias: _variables(login, files) for login in found}},
    }


def _variables(login: Login, files: LoginFiles) -> dict[str, Any]:
    options = login_options(login, files)
    words = [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    return {
        "ansible_host": login.address,
        "ansible_port": login.port,
        "ansible_user": login.user,
        "ansible_ssh_common_args": shlex.join(words),
        "fleet_member": _literal(login.member),
        "fleet_instance_id": login.instance_id,
    }


def _literal(text: str) -> object:
    """Keep Ansible from reading a name as a template: it would run what stands between double braces."""
    return {"__ansible_unsafe": text} if "{" in text else text
