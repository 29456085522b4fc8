"""Identifiers put into free text, and what of the result goes and what stays."""

from __future__ import annotations

import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from tools.midi.people import Person, pick_name

GENERIC = frozenset(
    "st saint medical center hospital general regional university imaging institute community of "
    "our the associates clinic memorial children's childrens radiology cancer drive street avenue "
    "jr dr and nuclear medicine diagnostic md".split()
)
STOPWORDS = frozenset(
    "a an the and or of on in at by for from to with was is as no not be it this that are has have "
    "had do did s t if but than then there here all any both each few more most other some such "
    "only own same so too very can will just now i me my we our you your he him his she her they "
    "them their what which who whom am were been being does doing until while about against "
    "between into through during before after above below up down out off over under again further "
    "once when where why how nor don should".split()
)
# Templates: {t} is the harmless text; each other field is identifying.
SHORT = (
    "{t} {LAST}", "{t} {last}, {first}", "{LAST} {t}", "{t} - {first} {last}", "{t} MRN {pid}",
    "{t} {slashed}", "{t} DOB {birth}", "{t} Dr. {referrer}", "{t} acc# {accession}",
    "{t}/{LAST},{FIRST}", "{last} {t} {slashed}", "{t} pt {first} {last}", "{t} ({pid})",
    "{t} for Dr. {stranger}",
)  # fmt: skip
LONG = (
    "Patient {first} {last} called at {phone}. {t}", "{t}. Seen at {institution}.",
    "{t}. Discussed with Dr. {referrer} on {worded}.", "{t}. SSN {ssn}.", "{t}, email {email}",
    "{t}. Lives at {address}.", "Mother: {mother}. {t}", "{t}. Tech: {technologist}",
    "Mr. {last} was seen on {slashed}. {t}", "{t}; DOB {birth}; MRN {pid}",
    "{t}. Compare with exam of {worded} at {institution}", "Call {phone} with results. {t}",
    "{t} -- read by {radiologist}, MD", "{t}. Referred by Dr. {referrer}, {town}",
    "PATIENT NAME: {LAST}, {FIRST}. {t}", "{t}. Wife {stranger} present.",
    "Reviewed with Dr. {stranger}. {t}", "{t}. Paged {stranger} at {phone}.",
    "{t}; {lower} tolerated the procedure well", "{t}. Next of kin: {stranger}, {address}",
    "{t}. Accession {accession}, admitted {iso}.",
)  # fmt: skip
_EDGES = ".,;:()[]#\"'"
_LIMITS = {"SH": 16, "LO": 64, "LT": 10240, "ST": 1024, "UT": 10240, "UC": 10240}


@dataclass(frozen=True, slots=True)
class Text:
    """A value with the tokens that must go and those that must stay."""

    value: str
    removed: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()


def tokens(text: str, *, generic: bool = False) -> tuple[str, ...]:
    """Tokens that count: edges trimmed, stop words aside, of identifiers also generic words."""
    found = (
        part.strip(_EDGES) for part in re.split(r"[\s\\^=/]+" if generic else r"[\s\\]+", text)
    )
    telling = (part for part in found if re.search(r"\w", part) and part.lower() not in STOPWORDS)
    if not generic:
        return tuple(dict.fromkeys(telling))
    kept = (part.rstrip(",") for part in telling)
    return tuple(dict.fromkeys(part for part in kept if not _tells_nothing(part)))


def _tells_nothing(part: str) -> bool:
    """Generic words, initials, numbers of up to three digits, codes of states."""
    few = re.fullmatch(r"\d{1,3}|[A-Z]{2}", part) is not None
    return part.lower() in GENERIC or len(part) < 2 or few


def spoken(name: str) -> str:
    """``SMITH^JOHN^A`` as people write it."""
    last, first, *_ = [*name.split("^"), ""]
    return f"{first} {last}"


def fields_of(person: Person, rng: random.Random) -> dict[str, str]:
    """What a template may ask of a patient."""
    site = person.site
    day = person.study_day - timedelta(days=rng.choice((0, 0, 1, 30, 400)))
    return {
        "last": person.last, "first": person.first, "LAST": person.last.upper(),
        "FIRST": person.first.upper(), "pid": person.patient_id, "accession": person.accession,
        "phone": person.phone, "ssn": person.ssn, "email": person.email, "address": person.address,
        "mother": spoken(person.mother), "institution": site.institution, "town": site.town,
        "referrer": rng.choice((spoken(site.referrer), site.referrer.split("^")[0])),
        "radiologist": spoken(site.radiologist), "technologist": spoken(site.technologist),
        "slashed": _slashed(day), "iso": day.isoformat(),
        "worded": f"{day:%B} {day.day}, {day.year}",
        "birth": _slashed(person.birth), "stranger": spoken(pick_name(rng)),
        "lower": f"{person.first} {person.last}".lower(),
    }  # fmt: skip


def _slashed(day: date) -> str:
    return f"{day:%m/%d/%Y}"


def plant(text: str, person: Person, rng: random.Random, vr: str) -> Text:
    """A harmless text with identifiers in it, where it fits the VR; else as it is.

    An identifier of which a word occurs in the harmless text is not planted: nobody could say
    what has to become of that word.
    """
    for _ in range(8):
        template = rng.choice(SHORT if vr in {"LO", "SH"} else SHORT + LONG)
        asked = fields_of(person, rng)
        value = template.format(t=text, **asked)
        names = re.findall(r"{(\w+)}", template)
        removed = [
            token for name in names if name != "t" for token in _identifying(name, asked[name])
        ]
        kept = tokens(text)
        clash = {part.lower() for part in re.findall(r"\w+", text)}
        if len(value) <= _LIMITS.get(vr, 64) and not clash & {
            part.lower() for token in removed for part in re.findall(r"\w+", token)
        }:
            return Text(value, tuple(dict.fromkeys(removed)), kept)
    return Text(text, (), tokens(text))


def _identifying(name: str, value: str) -> Sequence[str]:
    """Tokens of a field: dates and codes whole, names and places by word."""
    if name in {"slashed", "iso", "birth", "ssn", "pid", "accession", "email"}:
        return (value,)
    if name == "worded":
        return (value, value.split(",", maxsplit=1)[0])
    if name == "phone":
        return (value, value.rsplit(maxsplit=1)[-1] if " " in value else value)
    return tokens(value, generic=True)
