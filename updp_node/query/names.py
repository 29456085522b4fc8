"""Person names as they are compared: without regard to case, accents and component groups.

References
----------
PS3.4 C.2.2.2.1.1: Attributes with VR of PN. PS3.5 6.2.1: Person Name.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")


@lru_cache(maxsize=4096)
def fold_name(text: str) -> str:
    """One component group without case, diacritics and trailing delimiters."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(char for char in decomposed if not unicodedata.combining(char))
    return " ".join(plain.split()).rstrip("^ ")


def name_groups(value: object) -> tuple[str, ...]:
    """Component groups of a name in DICOM JSON (PS3.18 F.2.2), folded; empty ones as ``""``."""
    if not isinstance(value, dict):
        return ()
    return tuple(fold_name(str(value.get(group, ""))) for group in _GROUPS)
