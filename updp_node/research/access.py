"""Who sees which projects."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence

from updp_node.config.research import AccessRule, WebAccessRule


def projects_of(
    rules: Sequence[AccessRule], calling_ae_title: str, address: str, certificate: bytes | None
) -> frozenset[str]:
    """The projects that a requester may see: of all rules that it meets whole.

    Parameters
    ----------
    rules : sequence of AccessRule
    calling_ae_title : str
        Outer spaces do not count (PS3.8 9.3.2). Anybody can claim one: a network or a
        certificate beside it makes it mean something.
    address : str
        IPv4 or IPv6 address.
    certificate : bytes or None
        The requester's certificate in DER, where TLS asked for one.

    Returns
    -------
    frozenset of str
        Empty: the requester sees nothing and is refused.
    """
    seen: set[str] = set()
    for rule in rules:
        if rule.ae_title is not None and rule.ae_title.strip() != calling_ae_title.strip():
            continue
        if rule.networks and not _lies_in(rule, address):
            continue
        if rule.certificate_sha256 and fingerprint(certificate) not in rule.certificate_sha256:
            continue
        seen.update(rule.projects)
    return frozenset(seen)


def projects_of_certificate(
    rules: Sequence[WebAccessRule], certificate: bytes | None
) -> frozenset[str]:
    """The projects that a client certificate sees by DICOMweb; empty where it sees none."""
    found = fingerprint(certificate)
    return frozenset(
        project for rule in rules if found in rule.certificate_sha256 for project in rule.projects
    )


def fingerprint(certificate: bytes | None) -> str:
    """SHA-256 of a certificate in DER, as ``openssl x509 -fingerprint -sha256``; or nothing."""
    return "" if certificate is None else hashlib.sha256(certificate).hexdigest()


def _lies_in(rule: AccessRule, address: str) -> bool:
    host = ipaddress.ip_address(address.partition("%")[0])
    mapped = host.ipv4_mapped if isinstance(host, ipaddress.IPv6Address) else None
    return any((mapped or host) in network for network in rule.networks)
