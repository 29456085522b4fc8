"""Structured reports: the de-identified header joined with the scrubbed content tree."""

from __future__ import annotations

from pydicom import Dataset
from pydicom.sequence import Sequence

from updp_node.assemble.provenance import Provenance, stamp
from updp_node.errors import InstanceError

_ROOT = (
    "ValueType", "ConceptNameCodeSequence", "ContinuityOfContent", "ContentTemplateSequence",
    "CompletionFlag", "PreliminaryFlag",
)  # fmt: skip


def assemble_report(
    header: Dataset, source: Dataset, content: Sequence | None, provenance: Provenance
) -> Dataset:
    """Make the new report.

    What was verified was another text by another name: the new report is unverified, and the
    observers who verified the source do not vouch for it.

    Parameters
    ----------
    header : pydicom.Dataset
        Result of the header stage; holds no content tree.
    source : pydicom.Dataset
        For the coded attributes of the root content item.
    content : pydicom.Sequence or None
        The scrubbed Content Sequence of the text stage.
    provenance : Provenance

    Raises
    ------
    InstanceError
        ``report-without-content``.

    References
    ----------
    PS3.3 C.17.2 (SR Document General), C.17.3 (SR Document Content); PS3.15 E.3.4.
    """
    if content is None:
        raise InstanceError("report-without-content", "(0040,A730)")
    made = Dataset(header)
    for keyword in _ROOT:
        if keyword in source and keyword not in made:
            made[keyword] = source[keyword]
    made.ContentSequence = content
    made.VerificationFlag = "UNVERIFIED"
    if "VerifyingObserverSequence" in made:
        del made.VerifyingObserverSequence
    stamp(made, provenance)
    return made
