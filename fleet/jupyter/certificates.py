"""Makes the fleet's certificate authority and the certificates of its environments, on this machine.

P-256 throughout: browsers take no ed25519. The authority may sign for IP addresses and EC2's names of instances alone
(critical name constraints), so that whoever trusts it, trusts it for nothing else on the web.
"""

from __future__ import annotations

from ipaddress import ip_address, ip_network

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from fleet.plan.record.certificates import DNS_SUFFIXES, Lifetime, is_address
from fleet.plan.record.pem import certificate_part

_SERVERS = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def make_authority(fleet: str, lifetime: Lifetime) -> str:
    """Make an authority; gives its private key and its certificate, in PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    serial = x509.random_serial_number()
    # A name of its own: a browser that knows an earlier authority of the fleet must not mix them up.
    name = _name(f"{f'fleet {fleet}'[:47]} {serial >> 96:016x}")
    certificate = (
        _builder(key, lifetime, serial)
        .subject_name(name)
        .issuer_name(name)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(_only_for_instances(), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pem(key, certificate)


def issue_certificate(authority: str, names: tuple[str, ...]) -> str:
    """Issue a server's certificate for addresses and DNS names, valid as long as the authority.

    Gives its private key and the certificate, in PEM.
    """
    issuer = x509.load_pem_x509_certificate(certificate_part(authority).encode())
    issuer_key = serialization.load_pem_private_key(authority.encode(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)  # noqa: S101 - by make_authority
    key = ec.generate_private_key(ec.SECP256R1())
    lifetime = Lifetime(issuer.not_valid_before_utc, issuer.not_valid_after_utc)
    certificate = (
        _builder(key, lifetime, x509.random_serial_number())
        # No host name by itself: OpenSSL holds one against the authority's constraints, address or not.
        .subject_name(_name(f"environment {names[0]}"[:64]))
        .issuer_name(issuer.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), False)  # noqa: FBT003
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .sign(issuer_key, hashes.SHA256())
    )
    return _pem(key, certificate)


def _builder(
    key: ec.EllipticCurvePrivateKey, lifetime: Lifetime, serial: int
) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .serial_number(serial)
        .public_key(public)
        .not_valid_before(lifetime.start)
        .not_valid_after(lifetime.end)
        .add_extension(_SERVERS, critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _only_for_instances() -> x509.NameConstraints:
    names = [x509.DNSName(suffix) for suffix in DNS_SUFFIXES]
    addresses = [x509.IPAddress(ip_network(every)) for every in ("0.0.0.0/0", "::/0")]
    return x509.NameConstraints([*names, *addresses], None)


def _name(text: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "dl-fleet"),
            x509.NameAttribute(NameOID.COMMON_NAME, text),
        ]
    )


def _general(name: str) -> x509.GeneralName:
    return x509.IPAddress(ip_address(name)) if is_address(name) else x509.DNSName(name)


def _pem(key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> str:
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return (secret + certificate.public_bytes(serialization.Encoding.PEM)).decode()
