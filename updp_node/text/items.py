"""What becomes of a content item: by its concept name and what the profile's options ask.

References
----------
PS3.15 E.3.4 (Clean Structured Content Option), Table E.3.4-1, Table E.1-1 (0040,A730).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from pydicom.dataset import Dataset

from updp_node.standard import ContentItemRow, content_items
from updp_node.text.coded import KNOWN_SCHEMES, code_of
from updp_node.text.narrative import code_meaning

CLEAN_STRUCTURED = "Clean Structured Content"
_FULL_DATES = "Retain Longitudinal Temporal Information With Full Dates"
_MODIFIED_DATES = "Retain Longitudinal Temporal Information With Modified Dates"
_REFERENCES = frozenset({"IMAGE", "COMPOSITE", "WAVEFORM", "UIDREF"})
_COORDINATES = frozenset({"SCOORD", "SCOORD3D", "TCOORD"})
_PLAIN = frozenset({"TEXT", "PNAME", "DATE", "TIME", "DATETIME"})
_NAMES_SOMEBODY = re.compile(
    r"(?i)(?<!\[)\b(?:name|physician|doctor|observer|operator|author|verif\w+|recorder|hospital|clinic|"
    r"institution|organi[sz]ation|department|address|(?:tele)?phone|fax|mrn|patient|accession|"
    r"insurance)\b"
)


@dataclass(frozen=True, slots=True)
class ContentPolicy:
    """What a profile asks of content trees.

    Attributes
    ----------
    options : frozenset of str
        Options of PS3.15 Annex E by name.
    times : str
        ``keep``, ``coarsen`` (to the minute) or ``remove``.
    """

    options: frozenset[str]
    times: str = "coarsen"

    @property
    def dates(self) -> str:
        """``keep``, ``shift`` or ``remove``."""
        if _FULL_DATES in self.options:
            return "keep"
        return "shift" if _MODIFIED_DATES in self.options else "remove"

    @property
    def is_cleaned(self) -> bool:
        """Whether content is cleaned; else its structure stays and its values are dummies."""
        return CLEAN_STRUCTURED in self.options


def item_action(item: Dataset, kind: str, policy: ContentPolicy) -> str:
    """X (removed), D (dummy), K (kept) or C (cleaned, by its value type) for a content item.

    References and UIDs are relinked, neither removed nor kept: what they name is de-identified
    itself, and where UIDs are retained the relinking is told so. Without the Clean Structured
    Content Option the Content Sequence has D: containers, concept names and references stay, and
    every value becomes a dummy.

    Parameters
    ----------
    kind : str
        Value Type (0040,A040).
    policy : ContentPolicy

    References
    ----------
    PS3.15 E.3.4, Table E.3.4-1; Table E.1-1 (0040,A730).
    """
    if not policy.is_cleaned:
        return "X" if kind in _COORDINATES or _basic(item, kind) == "X" else "D"
    row = _row(item, kind)
    if kind in _REFERENCES:
        return "C"
    if row is None:
        return "D" if kind == "TEXT" and _is_labelled(item) else "C"
    chosen = sorted({row.options[name] for name in policy.options if name in row.options})
    if chosen:
        return chosen[0]  # C before K
    return "X" if row.basic == "X" else "D"


def _basic(item: Dataset, kind: str) -> str:
    row = _row(item, kind)
    return row.basic if row is not None and kind not in _REFERENCES else "D"


def _row(item: Dataset, kind: str) -> ContentItemRow | None:
    """The row of a concept; a name or date that is told as text has the row of the concept."""
    concept = code_of(item)
    found = _rows().get((*concept, kind))
    return found or (_rows().get((*concept, "")) if kind in _PLAIN else None)


@lru_cache(maxsize=1)
def _rows() -> Mapping[tuple[str, str, str], ContentItemRow]:
    """Rows by code, scheme and value type; without one, the first plain row of the concept."""
    table: dict[tuple[str, str, str], ContentItemRow] = {}
    for row in content_items():
        table[row.code, row.scheme, row.value_type] = row
        if row.value_type in _PLAIN:
            table.setdefault((row.code, row.scheme, ""), row)
    return table


def _is_labelled(item: Dataset) -> bool:
    """Whether a concept that no vocabulary publishes says itself that its text names somebody."""
    scheme = code_of(item)[1]
    if scheme in KNOWN_SCHEMES:
        return False
    return _NAMES_SOMEBODY.search(code_meaning(item, "ConceptNameCodeSequence")) is not None
