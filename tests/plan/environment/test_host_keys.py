"""Host keys in console output: whatever else the console prints, only whole blocks count."""

from __future__ import annotations

import pytest

from fleet.plan.environment.host_keys import console_host_keys

ED25519 = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGTgm0bC7UdAz4lNNwTpdVCpWRNYeXyRUwXa8Qkd3Cc7"
ECDSA = "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBA=="
FINGERPRINTS = """\
<14>Nov 21 09:00:01 ec2: #############################################################
<14>Nov 21 09:00:01 ec2: -----BEGIN SSH HOST KEY FINGERPRINTS-----
<14>Nov 21 09:00:01 ec2: 256 SHA256:abc root@ip-10-0-0-1 (ED25519)
<14>Nov 21 09:00:01 ec2: -----END SSH HOST KEY FINGERPRINTS-----
"""


def block(*lines: str) -> str:
    return "\n".join(
        ["-----BEGIN SSH HOST KEY KEYS-----", *lines, "-----END SSH HOST KEY KEYS-----", ""]
    )


BLOCK = block(f"{ECDSA} root@ip-10-0-0-1", f"{ED25519} root@ip-10-0-0-1")


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("", set()),
        ("[    0.000000] Linux version 6.8.0\n" + FINGERPRINTS, set()),
        (FINGERPRINTS + BLOCK + "\nip-10-0-0-1 login: ", {ED25519, ECDSA}),
        (BLOCK.replace("\n", "\r\n"), {ED25519, ECDSA}),
        (block(ED25519), {ED25519}),
        (block("[   12.1] a driver talks in between", f"{ED25519} x"), {ED25519}),
        (BLOCK.partition("-----END")[0], set()),
        ("-----END SSH HOST KEY KEYS-----\n" + ED25519, set()),
        (block(f"{ECDSA} old") + "reboot\n" + block(f"{ED25519} new"), {ED25519}),
        (f"{ED25519} outside\n" + block(), set()),
        (block("ssh-ed25519", "ssh-rsa not/base64!"), set()),
    ],
    ids=range(11),
)
def test_keys_of_a_console(text: str, keys: set[str]) -> None:
    assert console_host_keys(text) == keys
