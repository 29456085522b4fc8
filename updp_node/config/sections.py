"""Parts that the sections of the configuration share: names, networks, certificates, peers."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from updp_node.tls import TlsSettings

AeTitle = Annotated[
    str, Field(min_length=1, max_length=16, pattern=r"^[^\\\x00-\x1f]*\S[^\\\x00-\x1f]*$")
]
Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Section(BaseModel):
    """One part of the file; a key that is not known refuses to start."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Tls(Section):
    """Certificates of one side of a connection (PS3.15 B.9 to B.12)."""

    certificate: Path | None = None
    key: Path | None = None
    ca: Path | None = None
    require_client_certificate: bool = True

    @model_validator(mode="after")
    def _is_a_pair(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("certificate and key belong together")
        return self

    def settings(self) -> TlsSettings:
        """The settings that contexts are made from."""
        return TlsSettings(cert=self.certificate, key=self.key, ca=self.ca)


class PeerRule(Section):
    """Who may open an association: a calling AE title, a network, or both together."""

    ae_title: AeTitle | None = None
    networks: tuple[Network, ...] = ()

    @model_validator(mode="after")
    def _names_someone(self) -> Self:
        if self.ae_title is None and not self.networks:
            raise ValueError("a peer needs ae_title, networks or both")
        return self
