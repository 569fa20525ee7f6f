"""Certificates: how long, for which names, and when a host needs another one."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509

from fleet.jupyter.certificates import issue_certificate, make_authority
from fleet.plan import tags
from fleet.plan.facts.environment import InstanceFact
from fleet.plan.record.certificates import (
    Lifetime,
    authority_lifetime,
    authority_serves,
    certificate_names,
    certificate_serves,
)
from fleet.plan.record.pem import certificate_part

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
EVENING = NOW + timedelta(hours=8)
LIFETIME = authority_lifetime(now=NOW, expires_at=EVENING)
AUTHORITY = make_authority("workshop", LIFETIME)

INSTANCE = InstanceFact(
    instance_id="i-0123456789abcdef0",
    state="running",
    instance_type="g5.xlarge",
    availability_zone="us-east-1a",
    market="on-demand",
    image_id="ami-1",
    public_address="203.0.113.7",
    private_address="172.31.0.9",
    launched_at=NOW,
    dns_names=("ec2-203-0-113-7.compute-1.amazonaws.com", "ip-172-31-0-9.ec2.internal"),
)
NAMES = certificate_names(INSTANCE)


def serves(pem: str, **changes: object) -> bool:
    asked = {"names": NAMES, "authority": AUTHORITY, "now": NOW, **changes}
    return certificate_serves(pem, **asked)  # type: ignore[arg-type]


def test_every_name_of_an_instance_is_in_its_certificate() -> None:
    assert NAMES == (
        "203.0.113.7",
        "172.31.0.9",
        "ec2-203-0-113-7.compute-1.amazonaws.com",
        "ip-172-31-0-9.ec2.internal",
        "127.0.0.1",
        "localhost",
    )
    found = x509.load_pem_x509_certificate(
        certificate_part(issue_certificate(AUTHORITY, NAMES)).encode()
    )
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == [
        "203.0.113.7",
        "172.31.0.9",
        "127.0.0.1",
    ]


def test_a_private_instance_is_named_by_what_it_has() -> None:
    private = dataclasses.replace(
        INSTANCE, public_address=None, dns_names=("",), tags={tags.VIA: "ssm"}
    )
    assert certificate_names(private) == ("172.31.0.9", "127.0.0.1", "localhost")


def test_a_name_that_the_authority_may_not_sign_is_left_out() -> None:
    odd = dataclasses.replace(INSTANCE, dns_names=("bank.example.com",))
    assert "bank.example.com" not in certificate_names(odd)


def test_a_certificate_is_kept_while_it_serves() -> None:
    pem = issue_certificate(AUTHORITY, NAMES)
    assert serves(pem)
    assert serves(certificate_part(pem)), "the host shows it without its key"
    assert serves(pem, names=NAMES[:1]), "a name less is no reason"


@pytest.mark.parametrize("moved", ["public_address", "private_address"])
def test_another_address_needs_another_certificate(moved: str) -> None:
    elsewhere = dataclasses.replace(INSTANCE, **{moved: "198.51.100.9"})  # type: ignore[arg-type]
    pem = issue_certificate(AUTHORITY, NAMES)
    assert not serves(pem, names=certificate_names(elsewhere))


@pytest.mark.parametrize("pem", ["", "nonsense", "-----BEGIN CERTIFICATE-----\nAAAA\n"])
def test_what_is_no_certificate_does_not_serve(pem: str) -> None:
    assert not serves(pem)
    assert not authority_serves(pem, now=NOW, expires_at=None)


def test_another_authoritys_does_not_serve() -> None:
    other = make_authority("workshop", LIFETIME)
    assert not serves(issue_certificate(other, NAMES))


def test_one_that_ends_soon_does_not_serve() -> None:
    pem = issue_certificate(AUTHORITY, NAMES)
    assert not serves(pem, now=LIFETIME.end - timedelta(days=1))
    assert not serves(pem, now=LIFETIME.start - timedelta(days=1))


def test_an_authority_lasts_as_long_as_its_fleet() -> None:
    assert authority_serves(AUTHORITY, now=NOW, expires_at=EVENING)
    assert not authority_serves(AUTHORITY, now=NOW, expires_at=NOW + timedelta(days=30))
    forever = make_authority("w", authority_lifetime(now=NOW, expires_at=None))
    assert authority_serves(forever, now=NOW + timedelta(days=390), expires_at=None)
    assert not authority_serves(forever, now=NOW + timedelta(days=396), expires_at=None)


def test_two_authorities_of_a_fleet_have_names_of_their_own() -> None:
    def name(pem: str) -> str:
        found = x509.load_pem_x509_certificate(certificate_part(pem).encode())
        return found.subject.rfc4514_string()

    long = "n" * 60
    assert name(AUTHORITY) != name(make_authority("workshop", LIFETIME))
    assert "fleet workshop " in name(AUTHORITY)
    assert name(make_authority(long, Lifetime(NOW, EVENING)))
