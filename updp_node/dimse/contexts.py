"""Which presentation contexts are accepted: Verification, and all that may be storage.

References
----------
PS3.4 B.5: Standard SOP Classes of the Storage Service Class. PS3.8 9.3.3: accepted contexts.
"""

from __future__ import annotations

from collections.abc import Iterable

from pydicom.uid import UID, ExplicitVRBigEndian
from pynetdicom import build_context
from pynetdicom.presentation import PresentationContext

VERIFICATION = "1.2.840.10008.1.1"
_NOT_INSTANCES = ("Storage Commitment", "Media Storage Directory")


def is_storage(abstract_syntax: str) -> bool:
    """Whether instances may come under this abstract syntax.

    A private UID, and one that the dictionary does not know, is taken for a Storage SOP
    Class: an object that nobody knows is quarantined later, a refused one is lost.
    """
    uid = UID(abstract_syntax)
    name = str(uid.name)
    if uid.is_private or name in ("", str(uid)):
        return True
    return uid.type == "SOP Class" and "Storage" in name and not name.startswith(_NOT_INSTANCES)


def choose_contexts(proposed: Iterable[PresentationContext]) -> list[PresentationContext]:
    """What the node supports, made to measure for one request of an association.

    Every transfer syntax is accepted, compressed ones as sent. Of several in one context
    the sender's first is taken; Explicit VR Big Endian (retired) only where it is alone.

    Parameters
    ----------
    proposed : iterable of PresentationContext
        Of the A-ASSOCIATE-RQ.

    Returns
    -------
    list of PresentationContext
        One for each accepted abstract syntax, preferred transfer syntaxes first.
    """
    chosen: dict[str, dict[str, None]] = {}
    for context in proposed:
        uid = str(context.abstract_syntax)
        syntaxes = [str(syntax) for syntax in context.transfer_syntax]
        if syntaxes and (uid == VERIFICATION or is_storage(uid)):
            first = next((each for each in syntaxes if each != ExplicitVRBigEndian), syntaxes[0])
            chosen.setdefault(uid, {})[first] = None
    return [build_context(uid, list(syntaxes)) for uid, syntaxes in chosen.items()]
