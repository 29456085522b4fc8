"""Who may open an association: by calling AE title, by address, or by both."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from updp_node.dimse import status

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Peer:
    """One allowed peer; what is not given is not asked.

    Attributes
    ----------
    calling_ae_title : str or None
    networks : tuple of ip_network
        The peer's address is in one of them; empty allows any.
    """

    calling_ae_title: str | None = None
    networks: tuple[Network, ...] = ()


def check_peer(
    peers: tuple[Peer, ...], calling_ae_title: str, address: str
) -> status.Refusal | None:
    """Why a peer is refused, or None if one of the allowed peers is meant.

    Parameters
    ----------
    peers : tuple of Peer
        Empty: nobody is allowed.
    calling_ae_title : str
        Outer spaces do not count (PS3.8 9.3.2).
    address : str
        IPv4 or IPv6 address.
    """
    title = calling_ae_title.strip()
    titled = [
        peer
        for peer in peers
        if peer.calling_ae_title is None or peer.calling_ae_title.strip() == title
    ]
    if not titled:
        return status.CALLING_AE_TITLE
    if not any(_holds(peer.networks, address) for peer in titled):
        return status.ADDRESS
    return None


def _holds(networks: tuple[Network, ...], address: str) -> bool:
    if not networks:
        return True
    host = ipaddress.ip_address(address.partition("%")[0])
    mapped = host.ipv4_mapped if isinstance(host, ipaddress.IPv6Address) else None
    return any((mapped or host) in network for network in networks)
