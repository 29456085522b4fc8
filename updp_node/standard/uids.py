"""Which UIDs the standard and published registries define, so that they name no object.

A root proves nothing: senders make instance UIDs by putting a suffix behind a SOP Class UID, and
whoever builds a UID below 1.2.840.10008 is not stopped by anybody. So a UID counts as defined
only where it is registered as it stands.

References
----------
PS3.5 9 (UIDs); PS3.6 Annex A (registry of DICOM UIDs); PS3.16 8 (coding schemes), CID UIDs.
"""

from __future__ import annotations

import re

from pydicom._uid_dict import UID_dictionary

_CONTEXT_GROUP = re.compile(r"1\.2\.840\.10008\.6\.1\.[1-9]\d{0,3}")
_PUBLISHED_SYSTEM = re.compile(
    r"2\.16\.840\.1\.113883\.(?:5|6|12)\.\d{1,4}(?:\.\d{1,2})?"  # registered with HL7
    r"|2\.16\.840\.1\.113883\.3\.26\.1\.1|2\.16\.840\.1\.113883\.4\.9"  # NCIt, UNII
    r"|2\.16\.840\.1\.113883\.2\.1\.3\.2\.4\.21"  # NICIP
    r"|1\.3\.6\.1\.4\.1\.19376\.1\.8\.2\.1"  # PathLex
    r"|1\.2\.840\.10008\.2\.16\.\d{1,2}|1\.2\.840\.10065\.1\.12"
)
_VENDOR_CLASSES = frozenset(
    """1.2.840.113619.4.2 1.2.840.113619.4.3 1.2.840.113619.4.26 1.2.840.113619.4.27
    1.2.840.113619.4.30 1.2.840.113619.5.2 1.3.12.2.1107.5.9.1 1.3.12.2.1107.5.99.3.10
    1.3.12.2.1107.5.99.3.11 1.3.46.670589.2.3.1.1 1.3.46.670589.2.4.1.1 1.3.46.670589.2.5.1.1
    1.3.46.670589.5.0.1 1.3.46.670589.5.0.1.1 1.3.46.670589.5.0.2 1.3.46.670589.5.0.2.1
    1.3.46.670589.5.0.3 1.3.46.670589.5.0.3.1 1.3.46.670589.5.0.4 1.3.46.670589.5.0.7
    1.3.46.670589.5.0.8 1.3.46.670589.5.0.9 1.3.46.670589.5.0.10 1.3.46.670589.5.0.11
    1.3.46.670589.5.0.11.1 1.3.46.670589.5.0.12 1.3.46.670589.5.0.13 1.3.46.670589.5.0.14
    1.3.46.670589.11.0.0.12.1 1.3.46.670589.11.0.0.12.2 1.3.46.670589.11.0.0.12.4
    1.2.392.200036.9116.7.8.1.1.1 1.2.392.200036.9125.1.1.2 1.2.392.200036.9125.1.1.4
    1.2.276.0.48.5.1.4.1.1.7""".split()
)
"""Private storage classes and transfer syntaxes of scanners, as toolkits list them."""


def is_registered(uid: str) -> bool:
    """Whether the standard itself defines a UID."""
    return uid in UID_dictionary or _CONTEXT_GROUP.fullmatch(uid) is not None


def names_standard_object(uid: str) -> bool:
    """Whether a UID is one of the objects or frames of reference that the standard defines.

    The UID of a class or a transfer syntax is none, even if a sender uses it as one.
    """
    entry = UID_dictionary.get(uid)
    return entry is not None and entry[1].startswith(("Well-known", "Synchronization"))


def is_class(uid: str) -> bool:
    """Whether a UID names a class or syntax, of the standard or of a well-known vendor."""
    return is_registered(uid) or uid in _VENDOR_CLASSES


def is_coding_scheme(uid: str) -> bool:
    """Whether a UID names a coding scheme that is published."""
    return is_registered(uid) or _PUBLISHED_SYSTEM.fullmatch(uid) is not None
