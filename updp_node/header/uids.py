"""Which UIDs stay: those that the standard or a published registry defines, as they stand.

References
----------
PS3.15 E.3.9 (UIDs); PS3.6 Annex A; PS3.16 8.
"""

from __future__ import annotations

from updp_node.header.scope import Scope
from updp_node.standard.uids import (
    is_class,
    is_coding_scheme,
    is_registered,
    names_standard_object,
)

_CODE_SYSTEMS = frozenset({"CodingSchemeUID", "ContextUID", "MappingResourceUID"})


def map_uid(uid: str, keyword: str, scope: Scope) -> str:
    """What stands for a UID of the source in an attribute.

    Parameters
    ----------
    uid : str
        One value, padding gone; an empty one stays.
    keyword : str
        Of the attribute: what a UID may name depends on it.
    scope : Scope
    """
    if not uid or _is_defined(uid, keyword):
        return uid
    names_instance = "InstanceUID" in keyword and not keyword.startswith(
        ("StudyInst", "SeriesInst")
    )
    if names_instance and uid != scope.study_uid:
        return scope.uids.instance(uid)
    return scope.uids.other(uid)


def _is_defined(uid: str, keyword: str) -> bool:
    if "InstanceUID" in keyword or keyword.endswith("FrameOfReferenceUID"):
        return names_standard_object(uid)
    if "SOPClass" in keyword or "TransferSyntax" in keyword:
        return is_class(uid)
    return is_coding_scheme(uid) if keyword in _CODE_SYSTEMS else is_registered(uid)
