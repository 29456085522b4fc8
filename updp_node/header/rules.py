"""Compiled profiles: one rule for every tag of the dictionary.

Order of decision, the later wins: Basic Profile of Table E.1-1 (or, for what the table does not
list, ``beyond_table.yaml``; else keep what an IOD names and remove the rest), the cells of the
profile's options, the site's overrides. Where two options differ, C (clean, modify) wins over
K (keep). A cell C that cannot be carried out on the attribute's VR falls back on the Basic
Profile: binary overlays, curves, vendor blobs and time stamps in OB cannot be cleaned as text.

References
----------
PS3.15 E.1.1 (action codes), Table E.1-1, E.3 (options), E.3.10 (safe private).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.resources import files
from typing import Any

import yaml
from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom.datadict import mask_match, tag_for_keyword

from updp_node.header.profile import MODIFIED_DATES, Override, Profile
from updp_node.standard import confidentiality_rows, edition, iod_keywords, safe_private

CLEAN_DESCRIPTORS = "Clean Descriptors"
TEXT_VRS = frozenset({"LO", "SH", "ST", "LT", "UT", "UC", "PN"})
_DATE_VRS = frozenset({"DA", "DT", "TM"})
_FREE_VRS = frozenset({"ST", "LT", "UT", "PN"})
_BODIES = frozenset({"WaveformData", "SpectroscopyData", "ContourData", "PointCoordinatesData"})
_SHORT_VRS = frozenset({"LO", "SH", "UC"})
_TABLES = ("confidentiality.json", "content_items.json", "safe_private.json", "iod_types.json.gz")


@dataclass(frozen=True, slots=True)
class Rule:
    """What happens to one attribute.

    Attributes
    ----------
    keyword : str
    vrs : tuple of str
        VRs of the dictionary; empty where it has none.
    action : str
        Action code, composite ones included: they are resolved by Type, per instance.
    basic : str
        Used where `action` is C or K and the value turns out not to allow it.
    source : str
        ``table``, ``beyond-table``, ``iod``, ``unlisted``, ``other_objects``, ``option: ...`` or
        ``override: ...``.
    cleaning : str
        How C is done: ``date``, ``timezone``, ``title``, ``text``, ``items``, ``icc``, or empty.
    """

    keyword: str
    vrs: tuple[str, ...]
    action: str
    basic: str
    source: str
    cleaning: str = ""


UNLISTED = Rule("", (), "X", "X", "unlisted")


@dataclass(frozen=True, slots=True)
class CompiledProfile:
    """A profile with a rule for every tag; frozen and picklable.

    Attributes
    ----------
    profile : Profile
    digest : str
        SHA-256 over all that decides what leaves: the rules, the tables, the other keys.
    rules : Mapping[int, Rule]
        By tag.
    masks : Mapping[str, Rule]
        By mask of a repeating group, e.g. ``60xx3000`` (PS3.5 7.6).
    private : Mapping[tuple, Rule]
        By group, low byte of the element, and creator.
    needs_cleaner : bool
        Whether some rule cleans text, so that a cleaner has to be given.
    """

    profile: Profile
    digest: str
    rules: Mapping[int, Rule]
    masks: Mapping[str, Rule]
    private: Mapping[tuple[int, int, str], Rule]
    needs_cleaner: bool

    @property
    def options(self) -> tuple[str, ...]:
        """Options of PS3.15 Annex E by name."""
        return self.profile.options

    def rule_for(self, tag: int) -> Rule:
        """The rule of a public tag; what no rule names is removed."""
        rule = self.rules.get(tag)
        if rule is not None:
            return rule
        if tag & 0x00010000:
            return UNLISTED
        return self.masks.get(mask_match(tag) or "", UNLISTED)


def compile_profile(profile: Profile) -> CompiledProfile:
    """Compose tables, options and overrides into one rule for every tag.

    Raises
    ------
    ConfigError
        A generated table is damaged.
    """
    named = {row.keyword: row for row in confidentiality_rows()}
    by_tag: dict[int, Rule] = {}
    for tag, entry in DicomDictionary.items():
        by_tag[tag] = _override(_rule(tag >> 16, entry[4], entry[0], named, profile), profile)
    for row in confidentiality_rows():
        if (number := _number(row.tag)) is not None and number not in by_tag:
            rule = _rule(number >> 16, row.keyword, row.vr, named, profile)
            by_tag[number] = _override(rule, profile)
    masks = {
        mask: _override(_rule(int(mask[:2], 16) << 8, entry[4], entry[0], named, profile), profile)
        for mask, entry in RepeatersDictionary.items()
    }
    private = _private(profile)
    digest = _digest(profile, by_tag, masks, private)
    needs_cleaner = any(rule.cleaning in {"text", "items"} for rule in by_tag.values())
    return CompiledProfile(profile, digest, by_tag, masks, private, needs_cleaner)


def _rule(group: int, keyword: str, vr: str, named: Mapping[str, Any], profile: Profile) -> Rule:
    """The rule before overrides."""
    vrs = tuple(vr.split(" or ")) if vr and vr != "NONE" else ()
    if group < 8 or group & 0xFF00 in {0x5000, 0x6000}:
        # command, file meta and directory elements are no part of a composite object's data
        # set; overlays and curves go as a whole, since their samples cannot be cleaned as text
        return Rule(keyword, vrs, "X", "X", "table")
    if keyword in _BODIES and profile.other_objects != "keep":
        return Rule(keyword, vrs, "X", "X", "other_objects")
    row = named.get(keyword)
    if row is not None:
        bare = Rule(keyword, vrs, row.basic, row.basic, "table")
        return _compose(bare, row.options, profile)
    entry = _beyond(keyword, vrs)
    if entry is not None:
        bare = Rule(keyword, vrs, entry["action"], entry["action"], "beyond-table")
        return _compose(bare, entry["options"], profile)
    if keyword and keyword in iod_keywords():
        bare = Rule(keyword, vrs, "K", "X/Z/D", "iod")
        vocabulary = _beyond_table()["vocabulary"]["keywords"]
        is_typed = not _SHORT_VRS.isdisjoint(vrs) and keyword not in vocabulary
        return _compose(bare, {CLEAN_DESCRIPTORS: "C"} if is_typed else {}, profile)
    return Rule(keyword, vrs, "X", "X", "unlisted")


def _beyond(keyword: str, vrs: tuple[str, ...]) -> Any:
    table = _beyond_table()
    for entry in table["attributes"]:
        if keyword in entry["keywords"]:
            return entry
    if not keyword or keyword not in iod_keywords():
        return None
    for vrs_of_kind, kind in ((_DATE_VRS, "dates"), ({"UI"}, "uids"), (_FREE_VRS, "free_text")):
        if vrs_of_kind & set(vrs):
            return table[kind]
    return None


def _compose(bare: Rule, cells: Mapping[str, str], profile: Profile) -> Rule:
    """Let the options that are on override the Basic Profile; C wins over K."""
    chosen = [(cells[name], name) for name in profile.options if name in cells]
    if not chosen:
        return _cleanable(bare, modified=False)
    action, name = min(chosen)  # C sorts before K
    rule = replace(bare, action=action, source=f"option: {name}")
    return _cleanable(rule, modified=name == MODIFIED_DATES)


def _cleanable(rule: Rule, *, modified: bool) -> Rule:
    """Fix how C is done, or fall back on the Basic Profile where it cannot be."""
    if rule.action != "C":
        return rule
    vr = rule.vrs[0] if rule.vrs else ""
    basic = "X/Z/D" if rule.basic == "C" else rule.basic
    if rule.keyword == "ICCProfile":
        cleaning = "icc"
    elif vr in _DATE_VRS:
        cleaning = "date"
    elif rule.keyword == "TimezoneOffsetFromUTC":
        cleaning = "timezone"
    elif modified:
        cleaning = ""
    else:
        cleaning = {"SQ": "items", "AE": "title"}.get(
            vr, "text" if vr in TEXT_VRS or vr == "CS" else ""
        )
    action = "C" if cleaning else basic
    return replace(rule, action=action, basic=basic, cleaning=cleaning)


def _override(rule: Rule, profile: Profile) -> Rule:
    for entry in profile.overrides:
        if _matches(entry, rule.keyword):
            changed = replace(rule, action=entry.action, source="override", cleaning="")
            rule = _cleanable(changed, modified=False)
    return rule


def _matches(entry: Override, keyword: str) -> bool:
    if entry.keyword is not None:
        return keyword == entry.keyword
    return bool(entry.regex is not None and keyword and re.fullmatch(entry.regex, keyword))


def _private(profile: Profile) -> dict[tuple[int, int, str], Rule]:
    """Private elements that stay, by creator and never by block number (PS3.15 E.3.10)."""
    known: dict[tuple[int, int, str], Rule] = {}
    if "Retain Safe Private" in profile.options:
        for row in safe_private():
            vrs = (row.vr,) if row.vr else ()
            known[(row.group, row.element, row.creator.strip())] = Rule(
                "", vrs, "K", "X", "option: Retain Safe Private"
            )
    for entry in profile.overrides:
        if entry.creator is not None:
            key = (*entry.private_element, entry.creator.strip())
            known[key] = Rule("", (), entry.action, "X", "override")
    return known


@lru_cache(maxsize=1)
def _beyond_table() -> dict[str, Any]:
    text = files(__package__).joinpath("beyond_table.yaml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    if unknown := [
        keyword
        for entry in (*loaded["attributes"], loaded["vocabulary"])
        for keyword in entry["keywords"]
        if tag_for_keyword(keyword) is None
    ]:
        raise ValueError(f"beyond_table.yaml names keywords that do not exist: {unknown}")
    return loaded


def _number(tag: str) -> int | None:
    """Tag of a table row as a number; None for repeating groups and private attributes."""
    digits = tag.replace(",", "")
    return int(digits, 16) if re.fullmatch(r"[0-9A-F]{8}", digits) else None


def _digest(
    profile: Profile,
    rules: Mapping[int, Rule],
    masks: Mapping[str, Rule],
    private: Mapping[tuple[int, int, str], Rule],
) -> str:
    """SHA-256 of what decides; reasons, descriptions and limits of a release do not count."""
    stated = profile.model_dump(mode="json", exclude={"description", "overrides", "release"})
    stated["options"] = sorted(profile.options)
    content = {
        "profile": stated,
        "tables": [edition(name) for name in _TABLES],
        "rules": sorted((tag, rule.action, rule.cleaning) for tag, rule in rules.items()),
        "masks": sorted((mask, rule.action) for mask, rule in masks.items()),
        "private": sorted((*key, rule.action, rule.vrs) for key, rule in private.items()),
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
