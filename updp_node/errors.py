"""Errors, sorted by what the node does next.

::

    NodeError
    ├── ConfigError     refuse to start; names the file and the key
    ├── SpoolError      answer 0xA7xx, so that the sender tries again
    ├── PeerError       try again later, with back-off
    └── InstanceError   quarantine this instance and go on

A message holds tags, codes and counts, never a value of an attribute.
"""

from __future__ import annotations

import re

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


class NodeError(Exception):
    """Base of every error that the node raises on purpose."""


class ConfigError(NodeError):
    """The configuration cannot be used; the node refuses to start.

    Parameters
    ----------
    message : str
        What is wrong and what would be right.
    file : str, optional
        The file that holds the fault.
    key : str, optional
        Dotted path of the key in that file.
    """

    def __init__(self, message: str, *, file: str | None = None, key: str | None = None) -> None:
        where = ": ".join(part for part in (file, key) if part)
        super().__init__(f"{where}: {message}" if where else message)
        self.file = file
        self.key = key


class SpoolError(NodeError):
    """A received instance could not be made durable; the sender is told to try again.

    References
    ----------
    PS3.4 Table B.2-1: status 0xA7xx, Refused: Out of Resources.
    """


class PeerError(NodeError):
    """A destination could not be reached or refused an instance; tried again later."""


class InstanceError(NodeError):
    """One instance cannot be released; it is quarantined and the others go on.

    Parameters
    ----------
    code : str
        Reason code in lower case with hyphens, e.g. ``residual-identifier``.
    detail : str, optional
        Tags, counts and keywords; never a value of an attribute.
    """

    def __init__(self, code: str, detail: str = "") -> None:
        if not _CODE.fullmatch(code):
            raise ValueError("a reason code is lower case words joined by hyphens")
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code
        self.detail = detail

    def __reduce__(self) -> tuple[type[InstanceError], tuple[str, str]]:
        return (InstanceError, (self.code, self.detail))
