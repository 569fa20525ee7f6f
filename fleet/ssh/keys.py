"""Reads SSH keys: the fleet's own, and those that hosts show."""

from __future__ import annotations

import io

import paramiko

from fleet.errors import HostError

PrivateKey = paramiko.PKey
"""A loaded private key, opaque outside this layer."""


def load_private_key(text: str) -> PrivateKey:
    """Read a private key; raises HostError where it is none."""
    try:
        return paramiko.Ed25519Key.from_private_key(io.StringIO(text))
    except (paramiko.SSHException, ValueError) as error:
        raise HostError(
            "the fleet's SSH key in Parameter Store cannot be read",
            remedy="take the fleet down and bring it up again",
        ) from error


def public_line(private_key: str) -> str:
    """Give `type base64` of a private key's public half."""
    return key_line(load_private_key(private_key))


def key_line(key: paramiko.PKey) -> str:
    """Write a public key as `type base64`, the form of a known_hosts line and of the host key tag."""
    return f"{key.get_name()} {key.get_base64()}"


def parse_key_line(line: str) -> paramiko.PKey | None:
    """Read a `type base64` line; None where it is none."""
    try:
        entry = paramiko.hostkeys.HostKeyEntry.from_line(f"host {line}") if line else None
    except (paramiko.SSHException, paramiko.hostkeys.InvalidHostKey):
        return None
    return entry.key if entry else None


def fingerprint(line: str) -> str:
    """Give OpenSSH's SHA256 fingerprint of a `type base64` line."""
    key = parse_key_line(line)
    return key.fingerprint if key else "unknown"
