"""What the research side negotiates: information models, storage for C-GET, extensions.

References
----------
PS3.4 Tables C.6.1.3-1 and C.6.2.3-1: SOP Classes of the Query/Retrieve Service Class.
PS3.4 C.5: Association Negotiation. PS3.7 D.3.3.4 and D.3.3.5: role selection, SOP Class
Extended Negotiation.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom import build_context, build_role
from pynetdicom.association import Association
from pynetdicom.presentation import PresentationContext

from updp_node.dimse.commands import C_FIND_RQ, C_GET_RQ, C_MOVE_RQ
from updp_node.dimse.contexts import VERIFICATION, is_storage
from updp_node.query.levels import Model

NATIVE_SYNTAXES = (str(ExplicitVRLittleEndian), str(ImplicitVRLittleEndian))
"""Of Verification and the information models; also what instances are transcoded to."""


@dataclass(frozen=True, slots=True)
class InformationModel:
    """One SOP Class of the Query/Retrieve Service Class.

    Attributes
    ----------
    uid, name : str
    model : Model
    field : int
        Command Field of its requests.
    """

    uid: str
    name: str
    model: Model
    field: int


_PREFIX = "1.2.840.10008.5.1.4.1.2"
INFORMATION_MODELS = {
    each.uid: each
    for each in (
        InformationModel(
            f"{_PREFIX}.{root}.{operation}",
            f"{name} Root Query/Retrieve Information Model - {title}",
            model,
            field,
        )
        for root, name, model in (
            (1, "Patient", Model.PATIENT_ROOT),
            (2, "Study", Model.STUDY_ROOT),
        )
        for operation, title, field in (
            (1, "FIND", C_FIND_RQ),
            (2, "MOVE", C_MOVE_RQ),
            (3, "GET", C_GET_RQ),
        )
    )
}
"""By UID."""


@dataclass(frozen=True, slots=True)
class Extension:
    """One byte of the Service-class-application-information, and whether it is answered with 1.

    Attributes
    ----------
    name : str
    of_find, of_retrieval : bool
        Whether it is supported for C-FIND, and for C-MOVE and C-GET.
    """

    name: str
    of_find: bool
    of_retrieval: bool


EXTENSIONS = (
    Extension("relational queries or retrieval", of_find=True, of_retrieval=True),
    Extension("combined date-time matching", of_find=True, of_retrieval=False),
    Extension("fuzzy semantic matching of person names", of_find=False, of_retrieval=False),
    Extension("timezone query adjustment", of_find=False, of_retrieval=False),
    Extension("enhanced multi-frame image conversion", of_find=False, of_retrieval=False),
)
"""PS3.4 C.5.1.1 and C.5.2.1, byte by byte; what a peer does not ask for is not in force."""


def answer_extension(uid: str, asked: bytes) -> bytes | None:
    """Service-class-application-information of the acceptance; None for other SOP Classes."""
    model = INFORMATION_MODELS.get(uid)
    if model is None or not asked:
        return None
    supported = [
        each.of_find if model.field == C_FIND_RQ else each.of_retrieval for each in EXTENSIONS
    ]
    return bytes(int(byte == 1 and able) for byte, able in zip(asked, supported, strict=False))


def answer_extensions(asked: Mapping[Any, bytes]) -> dict[str, bytes]:
    """What is answered to the SOP Class Extended Negotiation of a request."""
    answers = {str(uid): answer_extension(str(uid), asked[uid]) for uid in asked}
    return {uid: answer for uid, answer in answers.items() if answer}


def choose_research_contexts(
    proposed: Iterable[PresentationContext],
    provided: frozenset[str],
    stored: Mapping[str, Sequence[str]],
) -> list[PresentationContext]:
    """What is supported, made to measure for one request of an association.

    Parameters
    ----------
    proposed : iterable of PresentationContext
        Of the A-ASSOCIATE-RQ.
    provided : frozenset of str
        SOP Classes of which the requestor is SCP, by role selection: those C-GET needs.
    stored : Mapping of str to sequence of str
        Transfer syntaxes of the instances of a SOP Class, where they are known.

    Returns
    -------
    list of PresentationContext
    """
    chosen: dict[str, dict[str, None]] = {}
    for context in proposed:
        uid = str(context.abstract_syntax)
        syntaxes = [str(syntax) for syntax in context.transfer_syntax]
        if uid == VERIFICATION or uid in INFORMATION_MODELS:
            for syntax in NATIVE_SYNTAXES:
                chosen.setdefault(uid, {})[syntax] = None
        elif uid in provided and is_storage(uid) and syntaxes:
            best = _best(syntaxes, stored.get(uid, ()))
            chosen.setdefault(uid, {})[best] = None
    return [_supported(uid, list(syntaxes), uid in provided) for uid, syntaxes in chosen.items()]


def provided_classes(association: Association) -> frozenset[str]:
    """SOP Classes of which the requestor proposes to be SCP."""
    roles = association.requestor.role_selection
    return frozenset(str(uid) for uid, role in roles.items() if role.scp_role)


def _best(syntaxes: Sequence[str], stored: Sequence[str]) -> str:
    """Of several in one context: the only one stored, else one that everything fits into."""
    if len(stored) == 1 and stored[0] in syntaxes:
        return stored[0]
    native = next((each for each in NATIVE_SYNTAXES if each in syntaxes), None)
    return native or next((each for each in syntaxes if each in stored), syntaxes[0])


def _supported(uid: str, syntaxes: list[str], is_provided: bool) -> PresentationContext:
    context = build_context(uid, syntaxes)
    if is_provided and uid not in INFORMATION_MODELS and uid != VERIFICATION:
        role = build_role(uid, scp_role=True)
        context.scu_role, context.scp_role = role.scu_role, role.scp_role
    return context
