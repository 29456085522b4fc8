"""Certificates for trying the node out, and what `updp-node certs` tells of any."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from updp_node.errors import ConfigError

CA_DAYS = 3650
LEAF_DAYS = 365
LEAVES = ("node", "peer")
_BACKDATE = timedelta(hours=1)  # clocks of peers differ


@dataclass(frozen=True, slots=True)
class CertificateDescription:
    """What is said of one certificate.

    Attributes
    ----------
    path : pathlib.Path
    subject : str
        RFC 4514 form.
    issuer : str
    names : tuple of str
        DNS names and addresses it speaks for.
    not_after : datetime
        In UTC.
    days_left : int
        Whole days; negative when it has expired.
    sha256 : str
        Fingerprint, hexadecimal.
    """

    path: Path
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_after: datetime
    days_left: int
    sha256: str


def create_development_certificates(
    folder: Path, *, now: datetime, hosts: Sequence[str] = ("localhost", "127.0.0.1", "::1")
) -> list[Path]:
    """Write a development CA and certificates of a node and a peer; never replace one.

    Parameters
    ----------
    folder : pathlib.Path
        Made if absent, mode 0700. Afterwards it holds ``ca``, ``node`` and ``peer``, each as
        ``.pem`` (certificate) and ``.key`` (EC P-256, mode 0600).
    now : datetime
        With time zone; the certificates count from here.
    hosts : sequence of str
        DNS names and addresses that the leaf certificates speak for.

    Returns
    -------
    list of pathlib.Path
        The six files.

    Raises
    ------
    ConfigError
        One of the files is there already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    paths = [folder / f"{name}.{kind}" for name in ("ca", *LEAVES) for kind in ("pem", "key")]
    for path in paths:
        if path.exists():
            raise ConfigError("it is there already and never replaced", file=str(path))
    ca_key = ec.generate_private_key(ec.SECP256R1())
    ca = _sign_ca(ca_key, now)
    _write(folder, "ca", ca, ca_key)
    for name in LEAVES:
        key = ec.generate_private_key(ec.SECP256R1())
        _write(folder, name, _sign_leaf(name, key, ca, ca_key, now=now, hosts=hosts), key)
    return paths


def describe_certificates(folder: Path, *, now: datetime) -> list[CertificateDescription]:
    """Every certificate in the ``.pem`` and ``.crt`` files of a folder, by file name.

    Raises
    ------
    ConfigError
        A file holds no certificate.
    """
    files = sorted(path for path in folder.glob("*") if path.suffix in {".pem", ".crt"})
    return [each for path in files for each in describe_certificate(path, now=now)]


def describe_certificate(path: Path, *, now: datetime) -> list[CertificateDescription]:
    """Every certificate of one PEM file.

    Raises
    ------
    ConfigError
        The file cannot be read or holds no certificate.
    """
    try:
        certificates = x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError("not a certificate in PEM", file=str(path)) from error
    return [
        CertificateDescription(
            path=path,
            subject=certificate.subject.rfc4514_string(),
            issuer=certificate.issuer.rfc4514_string(),
            names=_names(certificate),
            not_after=certificate.not_valid_after_utc,
            days_left=(certificate.not_valid_after_utc - now).days,
            sha256=certificate.fingerprint(hashes.SHA256()).hex(),
        )
        for certificate in certificates
    ]


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        str(name.value)
        for name in extension.value
        if isinstance(name, x509.DNSName | x509.IPAddress)
    )


def _named(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "updp_node development"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _builder(
    common_name: str, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(_named(common_name))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _BACKDATE)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )


def _sign_ca(key: ec.EllipticCurvePrivateKey, now: datetime) -> x509.Certificate:
    return (
        _builder("CA", key, now, CA_DAYS)
        .issuer_name(_named("CA"))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _sign_leaf(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    ca: x509.Certificate,
    ca_key: ec.EllipticCurvePrivateKey,
    *,
    now: datetime,
    hosts: Sequence[str],
) -> x509.Certificate:
    both_sides = [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    issuer = x509.AuthorityKeyIdentifier.from_issuer_public_key(ca_key.public_key())
    return (
        _builder(name, key, now, LEAF_DAYS)
        .issuer_name(ca.subject)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage(both_sides), critical=False)
        .add_extension(issuer, critical=False)
        .add_extension(
            x509.SubjectAlternativeName([_general_name(host) for host in hosts]), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _write(
    folder: Path, name: str, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey
) -> None:
    encoded_key = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    _create(folder / f"{name}.key", encoded_key, 0o600)
    _create(folder / f"{name}.pem", certificate.public_bytes(serialization.Encoding.PEM), 0o644)


def _create(path: Path, content: bytes, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(handle, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
