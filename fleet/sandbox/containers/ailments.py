"""What a container host is born with, as files of its image and as its link.

Takes the ailments of a HostConfig; gives what the disk and the network make of them. Disk and memory are limited
by their own modules.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from fleet.sandbox.containers.links import Link

if TYPE_CHECKING:
    from fleet.sandbox.driver import Ailment

_MUTE = """\
[Unit]
Description=Accepts connections and says nothing

[Service]
ExecStart=/usr/bin/python3 -c "import socket; \\
server = socket.create_server(('', 22)); held = []; [held.append(server.accept()) for _ in iter(int, 1)]"

[Install]
WantedBy=multi-user.target
"""
_OTHER_KEY = """\
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c 'test -f /etc/ssh/other || ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/other'
"""
_FILES = {
    "mute-ssh": {"etc/systemd/system/ssh.service": _MUTE},
    "other-host-key": {
        "etc/systemd/system/ssh.service.d/10-other.conf": _OTHER_KEY,
        "etc/ssh/sshd_config.d/10-other.conf": "HostKey /etc/ssh/other\n",
    },
    "failing-user-data": {
        "etc/cloud/cloud.cfg.d/92-fails.cfg": "bootcmd: ['echo this host cannot boot >&2; exit 1']\n"
    },
}
OTHER_USER = "somebody"


def files_of(ailments: Iterable[Ailment]) -> dict[str, str]:
    """The files that the image has more, by path below its root."""
    found: dict[str, str] = {}
    for ailment in ailments:
        found |= _FILES.get(ailment.name, {})
    return found


def login_user(ailments: Iterable[Ailment], *, usual: str) -> str:
    """Whom the image lets in."""
    return OTHER_USER if any(each.name == "other-user" for each in ailments) else usual


def amount_of(ailments: Iterable[Ailment], name: str) -> int:
    """The MiB of an ailment that limits something; 0 where nothing does."""
    found = (each.amount for each in ailments if each.name == name)
    return int(next(found, "0").removesuffix("MiB"))


def link_of(ailments: Iterable[Ailment]) -> Link:
    """The host's link."""
    amounts = {each.name: each.amount for each in ailments}
    return Link(
        unserved="no-packages" in amounts,
        rate=amounts.get("slow-link", ""),
        loss=per_mille(amounts.get("lossy-link", "0%")),
    )


def per_mille(percent: str) -> int:
    """30% is 300."""
    return round(float(percent.removesuffix("%")) * 10)
