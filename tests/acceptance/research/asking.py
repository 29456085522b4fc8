"""Asking by DIMSE beyond what DCMTK's programs negotiate: pynetdicom as requester."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager

from pydicom.dataset import Dataset
from pynetdicom import AE, _config, build_role, evt
from pynetdicom.association import Association
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    PatientRootQueryRetrieveInformationModelGet,
    StudyRootQueryRetrieveInformationModelFind,
)

from tests.acceptance.research.questions import PATIENT_ROOT

_config.LOG_HANDLER_LEVEL = "none"
FIND = {"patient": PatientRootQueryRetrieveInformationModelFind,
        "study": StudyRootQueryRetrieveInformationModelFind}  # fmt: skip
PENDING = (0xFF00, 0xFF01)


@contextmanager
def association(
    port: int, *, calling: str = "REQ_A", called: str = "RESEARCH_QR", relational: bool = False,
    combined: bool = False, timeout_s: float = 60,
) -> Iterator[Association]:  # fmt: skip
    """An association for both C-FIND models; extended negotiation of PS3.4 C.5.1.1 as asked."""
    entity = AE(calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = timeout_s
    items = []
    for model in FIND.values():
        entity.add_requested_context(model)
        if relational or combined:
            item = SOPClassExtendedNegotiation()
            item.sop_class_uid = model
            item.service_class_application_information = bytes([relational, combined, 0, 0])
            items.append(item)
    opened = entity.associate("127.0.0.1", port, ae_title=called, ext_neg=items or None)
    try:
        yield opened
    finally:
        if opened.is_established:
            opened.release()


def ask(
    opened: Association, identifier: Dataset, model: str = PATIENT_ROOT
) -> tuple[list[Dataset], int]:
    """The answers and the final status."""
    found = []
    for status, answer in opened.send_c_find(identifier, FIND[model]):
        code = int(status.get("Status", -1))
        if code not in PENDING:
            return found, code
        assert answer is not None
        found.append(answer)
    return found, -1


def get(
    port: int, identifier: Dataset, contexts: Collection[tuple[str, str]], *, calling: str = "REQ_A"
) -> tuple[int, dict[str, tuple[str, bytes]]]:
    """C-GET with one context for each SOP Class and transfer syntax.

    Returns
    -------
    tuple
        Final status; by SOP Instance UID the accepted syntax and the data set as it came.
    """
    got: dict[str, tuple[str, bytes]] = {}

    def keep(event: evt.Event) -> int:
        raw = event.request.DataSet.getvalue()
        got[str(event.request.AffectedSOPInstanceUID)] = (event.context.transfer_syntax, raw)
        return 0x0000

    entity = AE(calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = 60
    entity.add_requested_context(PatientRootQueryRetrieveInformationModelGet)
    for sop_class, syntax in sorted(contexts):
        entity.add_requested_context(sop_class, syntax)
    roles = [build_role(sop_class, scp_role=True) for sop_class in {each for each, _ in contexts}]
    opened = entity.associate("127.0.0.1", port, ae_title="RESEARCH_QR", ext_neg=roles,
                              evt_handlers=[(evt.EVT_C_STORE, keep)])  # fmt: skip
    assert opened.is_established
    status = -1
    for response, _ in opened.send_c_get(identifier, PatientRootQueryRetrieveInformationModelGet):
        status = int(response.get("Status", -1))
    opened.release()
    return status, got
