"""The header stage: a data set in, a new de-identified data set out.

Left to the stages after it: Content Sequence (0040,A730) and Encapsulated Document (0042,0011)
are not in the result, since the text stage supplies them or the object is quarantined; Pixel
Data, Float Pixel Data and Double Float Pixel Data are in it by reference, as the source had
them, and the assembly decides about them. File Meta Information and preamble are never taken
over.

References
----------
PS3.15 E.1.1 (requirements on the de-identifier: (0012,0062), (0012,0063), (0012,0064)), E.3.6
((0028,0303)), E.3.10 ((0008,0300)); PS3.16 CID 7050; PS3.3 C.12.1.1.2 (character set).
"""

from __future__ import annotations

import struct

from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from updp_node import __version__
from updp_node.errors import ConfigError, InstanceError
from updp_node.header.profile import FULL_DATES, MODIFIED_DATES
from updp_node.header.residual import collect_identifiers
from updp_node.header.rules import CompiledProfile
from updp_node.header.scope import CleanText, Scope, encoded, encoded_text, new_item
from updp_node.header.values import UNREADABLE, Element, encodings_of, text_of
from updp_node.header.walk import Place, walk
from updp_node.standard import OPTION_CODES, iod_types
from updp_node.subject import Subject, UidMap

_CHARACTER_SET = 0x00080005
_SOP_CLASS = 0x00080016
_STUDY = 0x0020000D
_TEMPORAL = 0x00280303
_REQUIRED_UIDS = (0x00080016, 0x00080018, 0x0020000D, 0x0020000E)
_PRIVATE_CHARACTERISTICS = 0x00080300
_PIXEL_REPRESENTATION = 0x00280103
_ASCII = ("ascii",)


def deidentify(
    source: Dataset,
    rules: CompiledProfile,
    subject: Subject,
    uids: UidMap,
    *,
    clean_text: CleanText | None,
) -> Dataset:
    """A new data set, de-identified at every level; the source is not changed.

    Parameters
    ----------
    source : pydicom.dataset.Dataset
        As read; any transfer syntax, any character set.
    rules : CompiledProfile
    subject : Subject
    uids : UidMap
    clean_text : callable or None
        Text to scrubbed text; needed where the profile cleans text.

    Returns
    -------
    pydicom.dataset.Dataset
        Encoded for explicit VR little endian in ISO_IR 192; without File Meta Information.

    Raises
    ------
    ConfigError
        The profile cleans text and no cleaner is given.
    InstanceError
        ``unknown-sop-class``, ``missing-uid``, ``unreadable-attribute``, ``nesting-too-deep``.
    """
    if clean_text is None and rules.needs_cleaner:
        raise ConfigError("the profile cleans text, but no text cleaner is set up", key="options")
    try:
        return _deidentify(source, rules, subject, uids, clean_text)
    except RecursionError as error:
        raise InstanceError("nesting-too-deep") from error
    except UNREADABLE as error:
        raise InstanceError("unreadable-attribute", type(error).__name__) from None


def _deidentify(
    source: Dataset,
    rules: CompiledProfile,
    subject: Subject,
    uids: UidMap,
    clean_text: CleanText | None,
) -> Dataset:
    for tag in _REQUIRED_UIDS:
        if not _uid(source, tag):
            raise InstanceError("missing-uid", f"({tag >> 16:04X},{tag & 0xFFFF:04X})")
    node = iod_types(_uid(source, _SOP_CLASS))
    if node is None and rules.profile.unknown_sop_class == "quarantine":
        raise InstanceError("unknown-sop-class", "(0008,0016)")
    encodings = encodings_of(source, _ASCII)
    scope = Scope(
        rules,
        subject,
        uids,
        clean_text,
        collect_identifiers(source, rules, encodings),
        is_signed=_is_signed(source),
        study_uid=_uid(source, _STUDY),
    )
    elements = walk(Place(source, scope, node, encodings))
    _state(elements, scope, _stated(source))
    return new_item(elements)


def _state(elements: dict[BaseTag, Element], scope: Scope, earlier: str) -> None:
    """Write down what was done, also by an `earlier` de-identifier, and who the subject is."""
    profile = scope.rules.profile
    method = (f"updp_node {__version__}", f"{profile.name} {profile.version}"[:64])
    texts = [
        (_CHARACTER_SET, "CS", "ISO_IR 192"),
        (0x00120062, "CS", "YES"),
        (0x00120063, "LO", "\\".join((*method, f"profile digest {scope.rules.digest[:32]}"))),
        (_TEMPORAL, "CS", _longitudinal(scope.rules, earlier)),
    ]
    for tag in (0x00100010, 0x00100020):  # Patient's Name and Patient ID: Type 2, always there
        if BaseTag(tag) not in elements:
            texts.append((tag, "PN" if tag == 0x00100010 else "LO", scope.subject.pseudonym))
    for tag, vr, text in texts:
        elements[BaseTag(tag)] = encoded_text(tag, vr, text)
    codes = [_code_item(name) for name in ("Basic Profile", *profile.options)]
    elements[BaseTag(0x00120064)] = DataElement(0x00120064, "SQ", Sequence(codes))
    if scope.private_blocks:
        blocks = [_block_item(group, name) for group, name in sorted(scope.private_blocks)]
        elements[BaseTag(_PRIVATE_CHARACTERISTICS)] = DataElement(
            _PRIVATE_CHARACTERISTICS, "SQ", Sequence(blocks)
        )


def _longitudinal(rules: CompiledProfile, earlier: str) -> str:
    """Longitudinal Temporal Information Modified (0028,0303); never more than is true."""
    if FULL_DATES in rules.options:
        return earlier if earlier in {"MODIFIED", "REMOVED"} else "UNMODIFIED"
    return "MODIFIED" if MODIFIED_DATES in rules.options else "REMOVED"


def _code_item(option: str) -> Dataset:
    value, meaning = OPTION_CODES[option]
    return new_item(
        {
            BaseTag(0x00080100): encoded_text(0x00080100, "SH", value),
            BaseTag(0x00080102): encoded_text(0x00080102, "SH", "DCM"),
            BaseTag(0x00080104): encoded_text(0x00080104, "LO", meaning),
        }
    )


def _block_item(group: int, creator: str) -> Dataset:
    """One block whose elements are known to be safe (PS3.3 C.12.1.1.7)."""
    return new_item(
        {
            BaseTag(0x00080301): encoded(0x00080301, "US", struct.pack("<H", group)),
            BaseTag(0x00080302): encoded_text(0x00080302, "LO", creator),
            BaseTag(0x00080303): encoded_text(0x00080303, "CS", "SAFE"),
        }
    )


def _uid(source: Dataset, tag: int) -> str:
    return (text_of(source.get_item(tag), "UI", _ASCII) or "") if tag in source else ""


def _stated(source: Dataset) -> str:
    """What the source itself says of (0028,0303)."""
    return (text_of(source.get_item(_TEMPORAL), "CS", _ASCII) or "") if _TEMPORAL in source else ""


def _is_signed(source: Dataset) -> bool:
    if _PIXEL_REPRESENTATION not in source:
        return False
    value = source.get_item(_PIXEL_REPRESENTATION).value
    return value == 1 or (isinstance(value, bytes) and 1 in value[:2])
