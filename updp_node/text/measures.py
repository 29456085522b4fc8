"""Numbers with their own label or unit: billing, laboratories, vital signs, image numbers.

A pack lists them as `measures` in `context/closed.yaml`: no rule over formats or codes finds
anything inside.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from updp_node.text.lexicon import Lexicons


class Measures:
    """Finds stretches of measurement; remembers the last text, which several rules ask about.

    Parameters
    ----------
    lexicons : Lexicons
    """

    def __init__(self, lexicons: Lexicons) -> None:
        self._regexes = [re.compile(each, re.I) for each in lexicons.closed.get("measures", ())]
        self._last: tuple[str, Sequence[tuple[int, int]]] = ("", ())

    def find(self, text: str) -> Sequence[tuple[int, int]]:
        """Start and end of every such stretch of folded text, in no order."""
        if self._last[0] != text:
            found = [match.span() for each in self._regexes for match in each.finditer(text)]
            self._last = (text, found)
        return self._last[1]
