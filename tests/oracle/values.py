"""Planted values, one canary each, and the oracle's own checks of what is valid."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from pydicom.datadict import dictionary_has_tag, dictionary_VM

CANARY = re.compile(r"Q[Vv]\d{6}")
OFFSET = re.compile(r"[+-]\d{4}")
_UID_ROOT = "1.2.826.0.1.3680043.9.9999"
_POOL = 89
_TEXT = frozenset({"LO", "SH", "ST", "LT", "UT", "UC"})
_LONGEST = {"SH": 16, "LO": 64, "ST": 1024, "CS": 16, "AE": 16}
_VALID = {
    "AE": r"[ -~]{1,16}", "AS": r"\d{3}[DWMY]", "CS": r"[A-Z0-9_ ]{1,16}",
    "DA": r"\d{4}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])",
    "DS": r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", "IS": r"[+-]?\d{1,12}",
    "DT": r"\d{4,14}(\.\d{1,6})?([+-]\d{4})?",
    "TM": r"([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?",
    "UI": r"(0|[1-9]\d*)(\.(0|[1-9]\d*))+", "UR": r"[!-~]+",
}  # fmt: skip
NUMBER_BYTES = {
    "US": 2, "SS": 2, "UL": 4, "SL": 4, "FL": 4, "FD": 8, "AT": 4, "SV": 8, "UV": 8, "OW": 2,
    "OL": 4, "OF": 4, "OD": 8, "OV": 8,
}  # fmt: skip


def canary(number: int) -> str:
    """Nine characters, so that none is the beginning of another."""
    return f"Qv{number:06d}"


def planted_value(keyword: str, tag: int, vr: str, number: int) -> object:
    """A plausible value of the VR; two of them where the attribute may have many."""
    if vr == "UI":
        return _uid(keyword, number)
    if keyword == "TimezoneOffsetFromUTC":
        return "+0130"
    if vr in {"US", "SS", "UL", "SL", "FL", "FD", "SV", "UV", "AT"}:
        return number % 30000 + 1
    if vr[0] == "O" or vr == "UN":
        return canary(number).encode()
    first = _text(vr, number)
    many = dictionary_has_tag(tag) and dictionary_VM(tag) == "1-n"
    return [first, _text(vr, number + 1)] if many and number % 2 else first


def clean(text: str) -> str:
    """The cleaner that the oracle hands to the header stage."""
    return CANARY.sub(lambda found: "WORD" if found[0][1] == "V" else "word", text)


def fitted(text: str, vr: str) -> str:
    """A cleaned text in the bounds of its VR (PS3.5 6.2)."""
    return text[: _LONGEST.get(vr, len(text))].rstrip()


def is_valid(text: str, vr: str) -> bool:
    """Whether every value of a string VR is well formed and not empty."""
    if vr in _TEXT | {"PN"}:
        parts = [text] if vr in {"ST", "LT", "UT"} else text.split("\\")
        return all(0 < len(part) <= _LONGEST.get(vr, 10**6) for part in parts)
    pattern = re.compile(_VALID[vr])
    longest = 64 if vr == "UI" else 10**6
    return all(pattern.fullmatch(part) and len(part) <= longest for part in text.split("\\"))


def is_new_uid(text: str, root: str) -> bool:
    """UIDs made of a root and a number of 128 bits (PS3.5 B.2), 64 characters at most."""
    for part in text.split("\\"):
        head, _, number = part.rpartition(".")
        if head != root or not is_valid(part, "UI") or int(number) >= 2**128:
            return False
    return True


def moved(text: str, vr: str, days: int, times: str) -> str:
    """Dates moved by whole days, times as the profile has them (PS3.15 E.3.6)."""
    if vr == "TM":
        return "\\".join(_clock(part, times) for part in text.split("\\"))
    out = []
    for part in text.split("\\"):
        day = datetime.strptime(part[:8], "%Y%m%d") + timedelta(days=days)
        clock, sign, offset = part[8:].partition("+")
        rest = clock if times == "keep" else clock[:4]
        out.append(f"{day:%Y%m%d}" + ("" if times == "remove" else rest + sign + offset))
    return "\\".join(out)


def _clock(text: str, times: str) -> str:
    return text if times == "keep" else text[:4] + "00"


def _uid(keyword: str, number: int) -> str:
    """From two pools, so that the same UID stands in many attributes, as references do."""
    kind = 1 if "SOPInstanceUID" in keyword else 2
    return f"{_UID_ROOT}.{kind}.{number % _POOL}"


def _text(vr: str, number: int) -> str:
    word = canary(number)
    day = datetime(2001, 1, 1) + timedelta(days=number % 6000, seconds=number % 86399)
    return {
        "AE": word.upper(), "AS": "042Y" if number % 2 else "093Y", "CS": word.upper(),
        "DA": f"{day:%Y%m%d}", "DT": f"{day:%Y%m%d%H%M%S}.25" + ("+0100" if number % 3 else ""),
        "TM": f"{day:%H%M%S}.25", "DS": f"{number}.25", "IS": str(number + 1),
        "PN": f"{word}^Xw{number:06d}", "UR": f"http://{word}.test/",
        "SH": f"{word} text", "UC": f"{word} text", "LO": f"Note of {word} here",
    }.get(vr, f"A longer note about {word}.\nSecond line.")  # fmt: skip
