"""Action codes, resolved by the Type that the attribute has in the instance's IOD.

=========  ====================  =================  ==================
code       Type 1 and 1C         Type 2 and 2C      Type 3, not in IOD
=========  ====================  =================  ==================
X          D for 1, X for 1C     Z for 2, X for 2C  X
Z          D                     Z                  Z
X/Z        D                     Z                  X
X/D        D                     D                  X
Z/D        D                     Z                  Z
X/Z/D      D                     Z                  X
X/Z/U*     U inside the items    Z                  X
=========  ====================  =================  ==================

A conditional attribute that is present counts as required, since its condition was met. X on an
attribute that the IOD requires without a condition would make the object invalid; a dummy or no
value tells as little, so it stands there instead.

Where the IOD is not known, or the attribute stands in items that the IOD does not name, the
choice that is valid for every Type is taken: D, Z for X/Z, U for X/Z/U*. It tells no more than
the source's structure does.

References
----------
PS3.15 E.1.1 and the notes of Table E.1-1; PS3.5 7.4 (Types).
"""

from __future__ import annotations

from functools import lru_cache

_REQUIRED = frozenset({"1", "1C"})
_MAY_BE_EMPTY = frozenset({"2", "2C"})


@lru_cache(maxsize=512)
def resolve_action(action: str, attribute_type: str, *, known: bool) -> str:
    """One of D, Z, X, K, C, U.

    Parameters
    ----------
    action : str
        Action code as the compiled profile has it.
    attribute_type : str
        Type in the IOD; empty where the IOD does not name the attribute.
    known : bool
        Whether the IOD names the surrounding data set or item.
    """
    choices = action.replace("*", "").split("/")
    if len(choices) == 1:
        return _resolve_single(action, attribute_type)
    if not known:
        return choices[-1]
    if attribute_type in _REQUIRED:
        return "D" if choices[-1] == "Z" else choices[-1]
    if attribute_type in _MAY_BE_EMPTY:
        return "Z" if "Z" in choices else choices[-1]
    return choices[0]


def _resolve_single(action: str, attribute_type: str) -> str:
    if action == "X":
        return {"1": "D", "2": "Z"}.get(attribute_type, "X")
    if action == "Z" and attribute_type in _REQUIRED:
        return "D"
    return action
