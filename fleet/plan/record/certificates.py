"""Decides about certificates: how long they hold, which names an environment's must carry, whether one still serves.

Pure. They are made in `assets`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import NameOID

from fleet.plan.facts.environment import InstanceFact
from fleet.plan.record.pem import certificate_part

LOCAL_NAMES = ("127.0.0.1", "localhost")
"""Where a person reaches an environment through a tunnel."""

DNS_SUFFIXES = (
    "compute.amazonaws.com",
    "compute-1.amazonaws.com",
    "compute.amazonaws.com.cn",
    "compute.internal",
    "ec2.internal",
    "localhost",
)
"""EC2's names of instances, and the own machine: a fleet's authority may sign for no other name.

Source: EC2 user guide, "Instance hostname types".
"""

_SKEW = timedelta(days=1)
"""A person's clock may be behind ours."""
_AFTER_EXPIRY = timedelta(days=7)
_WITHOUT_EXPIRY = timedelta(days=397)
_LEAST = timedelta(days=2)
"""What must be left of a certificate for it to be kept."""


@dataclass(frozen=True)
class Lifetime:
    """From when and until when a certificate is valid."""

    start: datetime
    end: datetime


def authority_lifetime(*, now: datetime, expires_at: datetime | None) -> Lifetime:
    """Give the lifetime of a fleet's authority: as long as the fleet's, 397 days where it has no expiry."""
    end = now + _WITHOUT_EXPIRY if expires_at is None else expires_at + _AFTER_EXPIRY
    return Lifetime(now - _SKEW, end)


def authority_serves(pem: str, *, now: datetime, expires_at: datetime | None) -> bool:
    """Whether an authority that was made before is valid until the fleet ends, or a while yet where it does not."""
    found = _read(pem)
    return found is not None and found.not_valid_after_utc > (expires_at or now) + _LEAST


@dataclass(frozen=True)
class AuthorityFact:
    """A fleet's authority as people see it. `fingerprint` is SHA-256 in hex, `certificate` PEM without the key."""

    fleet: str
    name: str
    fingerprint: str
    ends_at: datetime
    certificate: str

    def as_json(self) -> dict[str, object]:
        """Give the JSON shape of `fleet ca`."""
        return {
            "fleet": self.fleet,
            "name": self.name,
            "fingerprint_sha256": self.fingerprint,
            "ends_at": self.ends_at.isoformat().replace("+00:00", "Z"),
            "certificate": self.certificate,
        }


def describe_certificate(pem: str, *, fleet: str) -> AuthorityFact | None:
    """Describe a fleet's authority; None where the PEM holds no certificate."""
    found = _read(pem)
    if found is None:
        return None
    (name,) = found.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return AuthorityFact(
        fleet=fleet,
        name=str(name.value),
        fingerprint=found.fingerprint(hashes.SHA256()).hex(":").upper(),
        ends_at=found.not_valid_after_utc,
        certificate=certificate_part(pem),
    )


def certificate_names(instance: InstanceFact) -> tuple[str, ...]:
    """Give the addresses and DNS names that an environment is reached by; the first is its own address."""
    given = (instance.address, instance.public_address, instance.private_address)
    names = [name for name in (*given, *instance.dns_names) if name]
    return tuple(dict.fromkeys(name for name in (*names, *LOCAL_NAMES) if _may_be_signed(name)))


def certificate_serves(pem: str, *, names: tuple[str, ...], authority: str, now: datetime) -> bool:
    """Whether a host's certificate is the authority's, carries all names, and holds for a while yet."""
    found, issuer = _read(pem), _read(authority)
    if found is None or issuer is None:
        return False
    try:
        found.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    lasting = found.not_valid_before_utc <= now < found.not_valid_after_utc - _LEAST
    return lasting and set(names) <= _names_in(found)


def _read(pem: str) -> x509.Certificate | None:
    try:
        return x509.load_pem_x509_certificate(certificate_part(pem).encode())
    except ValueError:
        return None


def _names_in(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    addresses = {str(address) for address in names.get_values_for_type(x509.IPAddress)}
    return addresses | set(names.get_values_for_type(x509.DNSName))


def is_address(name: str) -> bool:
    """Whether a name is an IP address."""
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _may_be_signed(name: str) -> bool:
    return is_address(name) or any(
        name == suffix or name.endswith(f".{suffix}") for suffix in DNS_SUFFIXES
    )
