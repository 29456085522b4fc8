"""Private elements: which ones stay, decided by creator and VR, never by block number.

References
----------
PS3.5 7.8.1 (private data element tags and creators); PS3.15 E.3.10 (Retain Safe Private).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pydicom.datadict import private_dictionary_VR

from updp_node.header.profile import FULL_DATES, MODIFIED_DATES
from updp_node.header.rules import CLEAN_DESCRIPTORS, TEXT_VRS, CompiledProfile, Rule
from updp_node.header.values import Element, text_of, vr_of

_DATE_VRS = frozenset({"DA", "DT", "TM"})


@dataclass(frozen=True, slots=True)
class Chosen:
    """A private element that may stay, and how.

    Attributes
    ----------
    owner : Element
        The element of the block that names the creator.
    rule : Rule
        With a single VR and a single action code.
    """

    element: Element
    owner: Element
    creator: str
    rule: Rule


def choose_private(
    elements: Sequence[Element], rules: CompiledProfile, encodings: tuple[str, ...]
) -> Iterator[Chosen]:
    """The private elements of one data set or item that the profile keeps.

    Elements without a creator go; so do elements whose VR is not the one that is known to be
    safe, or is not known at all.
    """
    owners = {
        (int(element.tag) >> 16, int(element.tag) & 0xFF): element
        for element in elements
        if 0x10 <= int(element.tag) & 0xFFFF <= 0xFF
    }
    for element in elements:
        tag = int(element.tag)
        owner = owners.get((tag >> 16, (tag >> 8) & 0xFF))
        if owner is None or tag & 0xFFFF < 0x1000:
            continue
        creator = text_of(owner, "LO", encodings) or ""
        listed = rules.private.get((tag >> 16, tag & 0xFF, creator))
        rule = _decide(element, listed, creator, rules) if listed is not None else None
        if rule is not None:
            yield Chosen(element, owner, creator, rule)


def _decide(element: Element, listed: Rule, creator: str, rules: CompiledProfile) -> Rule | None:
    """The rule for the VR that the element has; None where it has to go."""
    vr = _vr(element, listed, creator)
    if vr is None or len(vr) != 2 or (listed.vrs and vr not in listed.vrs):
        return None
    action, cleaning = listed.action.replace("*", "").split("/")[0], ""
    if vr == "PN" and action == "K":
        return None
    if vr in _DATE_VRS and action in {"K", "C"}:
        if MODIFIED_DATES in rules.options:
            action, cleaning = "C", "date"
        elif FULL_DATES not in rules.options:
            return None
    elif action == "K" and vr in TEXT_VRS and _cleans(listed, rules):
        action, cleaning = "C", "text"
    elif action == "C":
        cleaning = "items" if vr == "SQ" else "text" if vr in TEXT_VRS else ""
        if not cleaning:
            return None
    return Rule("", (vr,), action, "X", listed.source, cleaning)


def _cleans(listed: Rule, rules: CompiledProfile) -> bool:
    """Whether text of a safe element is cleaned like any description; a site's own rule stands."""
    return listed.source.startswith("option") and CLEAN_DESCRIPTORS in rules.options


def _vr(element: Element, listed: Rule, creator: str) -> str | None:
    vr = vr_of(element, listed.vrs)
    if vr != "UN":
        return vr
    try:
        return private_dictionary_VR(element.tag, creator)
    except KeyError:
        return None
