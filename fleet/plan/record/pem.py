"""Takes PEM texts apart, without cryptography, which takes longer to load than a look at a fleet does. Pure."""

from __future__ import annotations


def certificate_part(pem: str) -> str:
    """Give the certificate out of a PEM that holds a private key as well."""
    head, begin, rest = pem.partition("-----BEGIN CERTIFICATE-----")
    return begin + rest if begin else head
