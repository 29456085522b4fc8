"""Two profiles side by side, and what a privacy officer should ask about one.

References
----------
PS3.15 E.1.1 (residual risk of retained attributes), E.3.1 to E.3.11 (options).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from updp_node.header.profile import FULL_DATES, MODIFIED_DATES, Profile, load_profile
from updp_node.header.rules import CompiledProfile, Rule, compile_profile

Row = tuple[str, str, str]
_INSTITUTION = "Retain Institution Identity"
_DEVICE = "Retain Device Identity"
_CHARACTERISTICS = "Retain Patient Characteristics"
_UIDS = "Retain UIDs"
_DESCRIPTORS = "Clean Descriptors"


def compare_profiles(
    first: str | Path, second: str | Path, search: Sequence[Path] = ()
) -> list[Row]:
    """What two profiles do differently.

    Parameters
    ----------
    first, second : str or pathlib.Path
        Names or paths.
    search : sequence of pathlib.Path
        Folders asked before those that come with the node.

    Returns
    -------
    list of tuple of str
        What differs, as the first has it, as the second has it; empty: the same to all.

    Raises
    ------
    ConfigError
        A profile cannot be read.
    """
    one, other = load_profile(first, search), load_profile(second, search)
    return [
        *_compare_keys(one, other),
        *_compare_rules(compile_profile(one), compile_profile(other)),
    ]


def warn_of(profile: Profile) -> list[str]:
    """Combinations of a profile that identify, or that contradict each other.

    Returns
    -------
    list of str
        One sentence each; empty where nothing is to be said.
    """
    options = set(profile.options)
    pixels = profile.pixels
    pairs = (
        ({FULL_DATES, _INSTITUTION}, "full dates and the institution: who was there that day"),
        ({FULL_DATES, _CHARACTERISTICS},
         "full dates with age, sex and size: the date of birth follows to within a year"),
        ({_DEVICE, _INSTITUTION}, "device serial numbers and the institution name the room"),
        ({FULL_DATES, _DEVICE}, "full dates and device serial numbers: schedules name patients"),
        ({_CHARACTERISTICS, _INSTITUTION}, "age, sex and size at one institution: few share them"),
    )  # fmt: skip
    said = [text for wanted, text in pairs if wanted <= options]
    if _UIDS in options:
        said.append(
            "source UIDs stay: whoever reaches the archive they come from finds the patient"
        )
    if _UIDS in options and pixels.chest_frontal == "synthesize":
        said.append(
            "source UIDs stay, but counterparts are new instances and need UIDs of their own"
        )
    if "Retain Safe Private" in options and _DESCRIPTORS not in options:
        said.append("safe private elements stay, but their text is not cleaned (Clean Descriptors)")
    if "Clean Structured Content" in options and _DESCRIPTORS not in options:
        said.append(
            "reports are cleaned, but free text elsewhere in them is not (Clean Descriptors)"
        )
    if profile.times == "keep" and options & {FULL_DATES, MODIFIED_DATES}:
        said.append("times are kept to the second: with another record of the day they identify")
    kept = [name for name in ("chest_frontal", "chest_other", "other_images")
            if getattr(pixels, name) == "keep"]  # fmt: skip
    if kept:
        said.append(f"pixels.{', pixels.'.join(kept)}: keep: text in the pixels is not removed")
    if profile.unknown_sop_class == "keep":
        said.append("objects of unknown SOP Classes are kept: nobody knows what is in them")
    return said


def _compare_keys(one: Profile, other: Profile) -> Iterator[Row]:
    mine, yours = dict(_flatten(one)), dict(_flatten(other))
    for option in sorted({*one.options, *other.options}):
        if (option in one.options) != (option in other.options):
            yield option, _yes(option in one.options), _yes(option in other.options)
    for key, value in mine.items():
        if value != yours.get(key):
            yield key, value, yours.get(key, "")


def _flatten(profile: Profile) -> Iterator[tuple[str, str]]:
    skipped = {"name", "version", "description", "options", "overrides", "release"}
    content: dict[str, Any] = profile.model_dump()
    for key, value in content.items():
        if key in skipped:
            continue
        if isinstance(value, dict):
            yield from ((f"{key}.{name}", str(each)) for name, each in value.items())
        else:
            yield key, str(value)


def _compare_rules(one: CompiledProfile, other: CompiledProfile) -> Iterator[Row]:
    for tag in sorted({*one.rules, *other.rules}):
        mine, yours = one.rules.get(tag), other.rules.get(tag)
        if _action(mine) != _action(yours):
            keyword = (mine or yours or Rule("", (), "", "", "")).keyword
            yield f"({tag >> 16:04X},{tag & 0xFFFF:04X}) {keyword}", _action(mine), _action(yours)
    for mask in sorted({*one.masks, *other.masks}):
        if _action(one.masks.get(mask)) != _action(other.masks.get(mask)):
            yield mask, _action(one.masks.get(mask)), _action(other.masks.get(mask))
    for place in sorted({*one.private, *other.private}):
        if _action(one.private.get(place)) != _action(other.private.get(place)):
            named = f"({place[0]:04X},xx{place[1]:02X}) {place[2]}"
            yield named, _action(one.private.get(place)), _action(other.private.get(place))


def _action(rule: Rule | None) -> str:
    if rule is None:
        return "X"
    return f"{rule.action} ({rule.cleaning})" if rule.cleaning else rule.action


def _yes(said: bool) -> str:
    return "yes" if said else "no"
