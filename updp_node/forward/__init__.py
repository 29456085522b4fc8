"""Sending of released instances to their destinations; only `Verified` ones."""

from __future__ import annotations

from updp_node.config import DimseTarget, FolderTarget
from updp_node.forward.backoff import delay_s
from updp_node.forward.destination import (
    Destination,
    DestinationSettings,
    DimseSettings,
    FolderSettings,
    Outcome,
    Reason,
    Timeouts,
)
from updp_node.forward.dimse import DimseDestination
from updp_node.forward.folder import FolderDestination

__all__ = [
    "Destination",
    "DestinationSettings",
    "DimseSettings",
    "FolderSettings",
    "Outcome",
    "Reason",
    "Timeouts",
    "delay_s",
    "make_destination",
    "settings_of",
]


def make_destination(settings: DestinationSettings) -> Destination:
    """The destination that the settings describe.

    Raises
    ------
    ConfigError
        Its certificates cannot be used.
    """
    if isinstance(settings, FolderSettings):
        return FolderDestination(settings)
    return DimseDestination(settings)


def settings_of(target: DimseTarget | FolderTarget) -> DestinationSettings:
    """The settings that an entry of the configuration's ``destinations`` stands for."""
    if isinstance(target, FolderTarget):
        return FolderSettings(name=target.name, path=target.path)
    return DimseSettings(
        name=target.name,
        host=target.host,
        port=target.port,
        called_ae_title=target.ae_title,
        calling_ae_title=target.calling_ae_title,
        tls=target.tls.settings() if target.tls else None,
        timeouts=Timeouts(response_s=target.timeout_s),
    )
