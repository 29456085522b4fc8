"""Structured reports: the de-identified header joined with the scrubbed content tree."""

from __future__ import annotations

from pydicom import Dataset

from updp_node.assemble.provenance import Provenance, copy_header, stamp
from updp_node.errors import InstanceError


def assemble_report(
    header: Dataset, source: Dataset, root: Dataset, provenance: Provenance
) -> Dataset:
    """Make the new report.

    What was verified was another text by another name: the new report is unverified, and the
    observers who verified the source do not vouch for it.

    Parameters
    ----------
    header : pydicom.Dataset
        Result of the header stage; holds no content tree.
    source : pydicom.Dataset
        Key objects have no verification flag, and get none.
    root : pydicom.Dataset
        Root content item of the text stage: concept name, template, content.
    provenance : Provenance

    Raises
    ------
    InstanceError
        ``report-without-content``.

    References
    ----------
    PS3.3 C.17.2 (SR Document General), C.17.3 (SR Document Content); PS3.15 E.3.4.
    """
    if "ContentSequence" not in root:
        raise InstanceError("report-without-content", "(0040,A730)")
    made = copy_header(header)
    made.update(root)
    made.ValueType = "CONTAINER"
    if "VerificationFlag" in source:
        made.VerificationFlag = "UNVERIFIED"
    if "VerifyingObserverSequence" in made:
        del made.VerifyingObserverSequence
    stamp(made, provenance)
    return made
