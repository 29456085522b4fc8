"""The walk over one data set and everything nested in it.

Rules hold at every level. An action on a sequence covers its contents: X and Z take the items
away, D keeps their structure with dummy values, K, U and C go through the items with the rules
of the attributes in them, C cleaning the text that would stay.

References
----------
PS3.15 E.1.1, E.3.5 (Clean Descriptors), E.3.10 (private elements); PS3.5 7.5 (sequences),
7.6 (repeating groups), 7.8 (private elements).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.tag import BaseTag

from updp_node.errors import InstanceError
from updp_node.header import leaf
from updp_node.header.actions import resolve_action
from updp_node.header.content import item_action, settle_values
from updp_node.header.private import choose_private
from updp_node.header.rules import CLEAN_DESCRIPTORS, TEXT_VRS, Rule
from updp_node.header.scope import Mode, Scope, encoded_text, new_item
from updp_node.header.values import Element, encodings_of, items_of, text_of
from updp_node.standard import TypeNode
from updp_node.standard.meanings import find_meaning, speaks_vocabulary

_DEEPEST = 64
_PIXELS = frozenset({0x7FE00008, 0x7FE00009, 0x7FE00010})
_LEFT_OUT = frozenset({0x0040A730, 0x00420011})  # Content Sequence, Encapsulated Document
_WHOLE_GROUPS = frozenset({0x50, 0x60})  # curves and overlays: nothing of the plane stays
_STRUCTURED = frozenset(
    {"AcquisitionContextSequence", "SpecimenPreparationSequence", "WaveformAnnotationSequence"}
)
_CODES = frozenset({"CodeValue", "CodingSchemeDesignator", "CodingSchemeVersion", "LongCodeValue"})
_STRUCTURE_VRS = frozenset({"CS", "US", "SS", "UL", "SL", "AT"})
_CODE_MEANING = 0x00080104
_CODE_VALUES = (0x00080100, 0x00080119, 0x00080120)  # Code Value, its long form, URN
_CODING_SCHEME = 0x00080102
_CLASS_UID, _INSTANCE_UID = 0x00081150, 0x00081155
_STUDIES = frozenset({"1.2.840.10008.3.1.2.3.1", "1.2.840.10008.3.1.2.3.2"})  # PS3.4, retired
_ANYTHING_GOES = "X/Z/D"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the walk is.

    Attributes
    ----------
    source : pydicom.dataset.Dataset
        The data set or item; never changed.
    scope : Scope
    node : TypeNode or None
        Types of the attributes at this place; None where the IOD does not name it.
    encodings : tuple of str
        Python names of the character sets that hold here.
    mode : Mode
    depth : int
        0 for the data set itself.
    """

    source: Dataset
    scope: Scope
    node: TypeNode | None
    encodings: tuple[str, ...]
    mode: Mode = Mode.KEEP
    depth: int = 0


def walk(place: Place) -> dict[BaseTag, Element]:
    """The new elements of one data set or item.

    Raises
    ------
    InstanceError
        ``nesting-too-deep`` or ``unreadable-attribute``.
    """
    if place.depth > _DEEPEST:
        raise InstanceError("nesting-too-deep", f"more than {_DEEPEST} levels")
    out: dict[BaseTag, Element] = {}
    private: list[Element] = []
    node, compiled = place.node, place.scope.rules
    for element in place.source.values():
        tag = int(element.tag)
        if tag < 0x00080000 or not tag & 0xFFFF or tag in _LEFT_OUT:
            continue
        if tag & 0x00010000:
            private.append(element)
            continue
        rule = compiled.rules.get(tag) or compiled.rule_for(tag)
        child = node.child(tag) if node is not None else None
        may_go = child is None or child.type not in {"1", "2"} or tag >> 24 in _WHOLE_GROUPS
        if rule.action == "X" and may_go:
            continue
        kept = (
            _pixels(element, rule, place) if tag in _PIXELS else _treat(element, rule, child, place)
        )
        if kept is not None:
            out[element.tag] = kept
    if private and compiled.private:
        _keep_private(private, out, place)
    if place.scope.uids.replaced_classes:
        _follow_replaced_class(out, place)
    if place.depth and _INSTANCE_UID in out:
        _follow_study(out, place)
    return out


def _treat(element: Element, rule: Rule, child: TypeNode | None, place: Place) -> Element | None:
    """One public attribute."""
    known, kind = place.node is not None, child.type if child is not None else ""
    action = resolve_action(rule.action, kind, known=known)
    vr = leaf.read_vr(element, rule, place.scope)
    if vr == "SQ":
        if place.mode is Mode.DUMMY:
            action = _dummy_action(action, kind, vr, known=known)
        return _sequence(element, rule, action, child, place)
    if place.mode is Mode.DUMMY:
        action = _dummy_action(action, kind, vr, known=known)
    elif int(element.tag) == _CODE_MEANING and action in {"K", "C"} and vr in TEXT_VRS:
        return _code_meaning(element, vr, place)
    if vr is not None and element.VR != "SQ":
        done = _act(element, vr, rule, action, place)
        if done is not None or action == "X":
            return done
    basic = rule.basic if rule.basic not in {"K", "C", "U"} else _ANYTHING_GOES
    fallback = resolve_action(basic, kind, known=known)
    if fallback == "X" or not rule.vrs or rule.vrs[0] == "SQ":
        return None
    return _act(element, vr or rule.vrs[0], rule, fallback, place)


def _code_meaning(element: Element, vr: str, place: Place) -> Element:
    """A meaning as written where it tells of the code alone; else published, cleaned or bare."""
    scope, encodings = place.scope, place.encodings
    scheme = _text_at(place, _CODING_SCHEME)
    value = next(filter(None, (_text_at(place, tag) for tag in _CODE_VALUES)), "")
    text = text_of(element, vr, encodings)
    if meaning := find_meaning(scheme, value):
        stays = text and _tells_code_only(text, scope)
        return encoded_text(_CODE_MEANING, vr, text if text and stays else meaning)
    if text and CLEAN_DESCRIPTORS in scope.rules.options:
        cleaned = leaf.clean_words(element, vr, text, scope)
        if cleaned is not None:
            return cleaned
    bare = value[:64] if value and not scope.identifiers.found_in(value) else "REMOVED"
    return encoded_text(_CODE_MEANING, vr, bare)


def _tells_code_only(text: str, scope: Scope) -> bool:
    """Whether a sender's own meaning of a published code is made of published words alone."""
    cleans = CLEAN_DESCRIPTORS in scope.rules.options
    return cleans and speaks_vocabulary(text) and not scope.identifiers.found_in(text)


def _text_at(place: Place, tag: int) -> str:
    if tag not in place.source:
        return ""
    return text_of(place.source.get_item(tag), "SH", place.encodings) or ""


def _act(element: Element, vr: str, rule: Rule, action: str, place: Place) -> Element | None:
    """Carry out one resolved action; None where the value does not allow it."""
    scope, encodings = place.scope, place.encodings
    cleans = place.mode in {Mode.CLEAN, Mode.STRUCTURED} and rule.keyword not in _CODES
    if action == "K" and cleans and vr in TEXT_VRS:
        text = text_of(element, vr, encodings)
        return None if text is None else leaf.clean_words(element, vr, text, scope)
    function = _ACTIONS.get(action)
    return None if function is None else function(element, vr, rule, scope, encodings)


_ACTIONS: dict[
    str, Callable[[Element, str, Rule, Scope, tuple[str, ...]], Element | None]
] = {
    "K": leaf.keep,
    "C": leaf.clean,
    "U": leaf.replace_uids,
    "Z": leaf.empty,
    "D": leaf.replace,
}  # fmt: skip


def _sequence(
    element: Element, rule: Rule, action: str, child: TypeNode | None, place: Place
) -> Element | None:
    """One sequence and its items."""
    if action == "X":
        return None
    items: list[Dataset] = []
    if action != "Z":
        mode = Mode.DUMMY if action == "D" else place.mode
        if action == "C":
            mode = Mode.STRUCTURED if rule.keyword in _STRUCTURED else Mode.CLEAN
        for item in items_of(element, place.source, place.encodings):
            encodings = encodings_of(item, place.encodings)
            new = _item(Place(item, place.scope, child, encodings, mode, place.depth + 1))
            if new is not None:
                items.append(new)
    return DataElement(element.tag, "SQ", Sequence(items), already_converted=True)


def _item(place: Place) -> Dataset | None:
    """One item; None for a content item that has to go."""
    rules = place.scope.rules
    action = item_action(place.source, rules.options) if place.mode is Mode.STRUCTURED else ""
    if action == "X":
        return None
    elements = walk(replace(place, mode=Mode.KEEP) if action == "K" else place)
    if action in {"K", "D"}:
        settle_values(action, place.source, elements, place.scope, place.encodings)
    return new_item(elements)


def _dummy_action(action: str, kind: str, vr: str | None, *, known: bool) -> str:
    """Inside a sequence that had D: what is required stays as a dummy, the rest goes."""
    if action in {"X", "Z"} or (action == "U" and vr != "SQ"):
        return action
    if known and kind in {"2", "2C"}:
        return "Z"
    if known and kind not in {"1", "1C"}:
        return "X"
    return "K" if action == "K" and vr in _STRUCTURE_VRS else "D"


def _pixels(element: Element, rule: Rule, place: Place) -> Element | None:
    """Pixel data by reference, encapsulated or not; whoever assembles decides about them."""
    if place.depth > 0:
        return None
    if isinstance(element, RawDataElement) and element.value is None:
        element = place.source.get_item(element.tag)
    vr = leaf.read_vr(element, rule, place.scope) or "OW"
    if isinstance(element, RawDataElement):
        return element._replace(VR=vr, is_implicit_VR=False)
    return DataElement(
        element.tag,
        vr,
        element.value,
        is_undefined_length=element.is_undefined_length,
        already_converted=True,
    )


def _follow_replaced_class(out: dict[BaseTag, Element], place: Place) -> None:
    """A reference to an instance that a counterpart replaces names the counterpart's class."""
    replaced = place.scope.uids.replaced_classes
    if _INSTANCE_UID not in place.source or BaseTag(_CLASS_UID) not in out:
        return
    uid = text_of(place.source.get_item(_INSTANCE_UID), "UI", place.encodings)
    if uid in replaced:
        out[BaseTag(_CLASS_UID)] = encoded_text(_CLASS_UID, "UI", replaced[str(uid)])


def _follow_study(out: dict[BaseTag, Element], place: Place) -> None:
    """A reference whose class is that of studies names a Study Instance UID (PS3.3 C.8.8.6.3)."""
    rules, uids = place.scope.rules.rules, place.scope.uids
    named = _text_at(place, _INSTANCE_UID)
    if rules[_INSTANCE_UID].action == "U" and named and _text_at(place, _CLASS_UID) in _STUDIES:
        out[BaseTag(_INSTANCE_UID)] = encoded_text(_INSTANCE_UID, "UI", uids.other(named))


def _keep_private(elements: list[Element], out: dict[BaseTag, Element], place: Place) -> None:
    """Private elements that the profile keeps, and the creators of their blocks."""
    for chosen in choose_private(elements, place.scope.rules, place.encodings):
        vr, rule = chosen.rule.vrs[0], chosen.rule
        if vr == "SQ":
            kept = _sequence(chosen.element, rule, rule.action, None, place)
        else:
            kept = _act(chosen.element, vr, rule, rule.action, place)
        if kept is not None:
            owner = chosen.owner.tag
            out[chosen.element.tag] = kept
            out[owner] = encoded_text(owner, "LO", chosen.creator)
            place.scope.private_blocks.add((int(owner) >> 16, chosen.creator))
