"""The meanings that published vocabularies give their codes.

A Code Meaning in an object is free text: systems let people type it. Where the code is one of a
published vocabulary, the vocabulary's own meaning can stand in its place.

References
----------
PS3.3 Table 8.8-1 (Code Sequence Macro), 8.3 (Code Meaning); PS3.16 (context groups), Annex L
(SNOMED RT and SNOMED CT codes).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any

_OLD_SNOMED = frozenset({"SRT", "SNM3", "99SDM"})
_SEMANTIC_TAG = re.compile(r" \([a-z][a-z /+-]*\)$")
_LONGEST = 64
_WORD = re.compile(r"[^\W_]+")
_SHORTEST_NUMBER = 4


def find_meaning(scheme: str, value: str) -> str | None:
    """The published meaning of a code, at most 64 characters; None where none is known.

    Semantic tags of SNOMED CT, ``(body structure)``, are left out.

    Parameters
    ----------
    scheme : str
        Coding Scheme Designator (0008,0102).
    value : str
        Code Value (0008,0100), or its long or URN form.
    """
    if scheme in _OLD_SNOMED:
        scheme, value = "SCT", _newer_snomed().get(value, "")
    meaning = _meanings().get((scheme, value))
    return None if meaning is None else _SEMANTIC_TAG.sub("", meaning)[:_LONGEST].rstrip()


def speaks_vocabulary(text: str) -> bool:
    """Whether every word of a text is one that published meanings use.

    Numbers of at most three digits count as words. Senders write their own meaning beside a
    published code, ``Chest`` for *Thoracic structure*: what is made of such words alone tells of
    the code, not of a person.
    """
    words = _WORD.findall(text.lower())
    known = _vocabulary()
    return bool(words) and all(
        word in known or (word.isdigit() and len(word) < _SHORTEST_NUMBER) for word in words
    )


@lru_cache(maxsize=1)
def _vocabulary() -> frozenset[str]:
    """Words of all published meanings."""
    return frozenset(word for text in _meanings().values() for word in _WORD.findall(text.lower()))


@lru_cache(maxsize=1)
def _meanings() -> Mapping[tuple[str, str], str]:
    from pydicom.sr._concepts_dict import concepts  # noqa: PLC0415  # a megabyte, often not asked

    found: dict[tuple[str, str], str] = {}
    vocabularies: Mapping[str, Any] = concepts
    for scheme, keywords in vocabularies.items():
        for codes in keywords.values():
            for value, entry in codes.items():
                found.setdefault((scheme, value), str(entry[0]))
    return MappingProxyType(found)


@lru_cache(maxsize=1)
def _newer_snomed() -> Mapping[str, str]:
    """SNOMED RT code to SNOMED CT code."""
    from pydicom.sr._snomed_dict import mapping  # noqa: PLC0415

    return MappingProxyType(dict(mapping["SRT"]))
