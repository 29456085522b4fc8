"""TLS for associations, both ways: which certificates, which versions, which suites.

References
----------
PS3.15 B.12: BCP 195 (RFC 8996, RFC 9325) TLS Secure Transport Connection Profile.
"""

from __future__ import annotations

import ssl
import stat
from dataclasses import dataclass
from pathlib import Path

from updp_node.errors import ConfigError

TLS12_SUITES = (
    "ECDHE-ECDSA-AES128-GCM-SHA256",
    "ECDHE-RSA-AES128-GCM-SHA256",
    "ECDHE-ECDSA-AES256-GCM-SHA384",
    "ECDHE-RSA-AES256-GCM-SHA384",
)
"""The suites RFC 9325 4.2 recommends for TLS 1.2, in OpenSSL's names."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """The files of one side of a TLS connection.

    Attributes
    ----------
    cert : pathlib.Path or None
        Own certificate (PEM), chain after it. A server must have one; a client shows it where
        the peer asks.
    key : pathlib.Path or None
        Its private key (PEM), closed to other users.
    ca : pathlib.Path or None
        Certificates that peers' certificates must lead to; None trusts the operating system's.
    check_hostname : bool
        Whether a client compares the peer's certificate with the configured host.
    """

    cert: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    check_hostname: bool = True

    def client_context(self) -> ssl.SSLContext:
        """Context for associations that the node requests; the peer's certificate is checked.

        Raises
        ------
        ConfigError
            A file is missing, not PEM, open to others, or key and certificate differ.
        """
        context = _context(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = self.check_hostname
        context.verify_mode = ssl.CERT_REQUIRED
        if self.cert is not None:
            self._load_own(context)
        self._load_trusted(context, ssl.Purpose.SERVER_AUTH)
        return context

    def server_context(self, require_client_cert: bool) -> ssl.SSLContext:
        """Context for associations that the node accepts.

        Parameters
        ----------
        require_client_cert : bool
            Mutual TLS: refuse a peer whose certificate does not lead to `ca`.

        Raises
        ------
        ConfigError
            As `client_context`; also where `cert`, or `ca` of mutual TLS, is not given.
        """
        if self.cert is None:
            raise ConfigError("a TLS server needs a certificate and its key", key="tls.certificate")
        context = _context(ssl.PROTOCOL_TLS_SERVER)
        context.options |= ssl.OP_CIPHER_SERVER_PREFERENCE
        self._load_own(context)
        if require_client_cert:
            if self.ca is None:
                raise ConfigError("mutual TLS needs the CA of the peers", key="tls.ca")
            self._load_trusted(context, ssl.Purpose.CLIENT_AUTH)
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _load_own(self, context: ssl.SSLContext) -> None:
        cert, key = self.cert, self.key
        if cert is None or key is None:
            raise ConfigError("a certificate needs its private key", key="tls.key")
        for path, name in ((cert, "tls.certificate"), (key, "tls.key")):
            _require_file(path, name)
        if stat.S_IMODE(key.stat().st_mode) & stat.S_IRWXO:
            raise ConfigError("the private key is open to others: chmod 600", file=str(key))
        try:
            context.load_cert_chain(cert, key, password=_refuse_password)
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(
                "not a certificate (PEM) with its unencrypted private key",
                file=str(cert),
                key="tls.certificate",
            ) from error

    def _load_trusted(self, context: ssl.SSLContext, purpose: ssl.Purpose) -> None:
        if self.ca is None:
            context.load_default_certs(purpose)
            return
        _require_file(self.ca, "tls.ca")
        try:
            context.load_verify_locations(cafile=self.ca)
        except (ssl.SSLError, OSError) as error:
            raise ConfigError(
                "not a certificate in PEM", file=str(self.ca), key="tls.ca"
            ) from error


def _context(protocol: int) -> ssl.SSLContext:
    context = ssl.SSLContext(protocol)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION
    context.set_ciphers(":".join(TLS12_SUITES))  # the suites of TLS 1.3 are not affected
    return context


def _require_file(path: Path, key: str) -> None:
    if not path.is_file():
        raise ConfigError("the file is not there", file=str(path), key=key)


def _refuse_password() -> str:
    """Stand in for OpenSSL's prompt at the terminal: an encrypted key is refused."""
    raise ssl.SSLError("an encrypted private key")
