"""Reads a host's SSH keys from its console output, where cloud-init prints them at first boot. Pure.

The console is written by the instance and read through the AWS API: nobody on the network between us and the host can
change it. Form of the block: cloud-init, `write-ssh-key-fingerprints`.
"""

from __future__ import annotations

import re

_BEGIN = "-----BEGIN SSH HOST KEY KEYS-----"
_END = "-----END SSH HOST KEY KEYS-----"
_KEY = re.compile(r"(?P<key>(?:ssh|ecdsa)-[a-z0-9-]+ [A-Za-z0-9+/]+={0,3})(?:\s|$)")


def console_host_keys(text: str) -> frozenset[str]:
    """Give the keys of the last whole block as `type base64`; none while no block has ended.

    The last one: a host that got new keys prints a new block. Lines may end in CR LF, as a serial console's do, and
    others' messages may stand in between.
    """
    before, ended, _ = text.rpartition(_END)
    _, begun, block = before.rpartition(_BEGIN)
    if not ended or not begun:
        return frozenset()
    return frozenset(found["key"] for found in map(_KEY.match, block.split("\n")) if found)
