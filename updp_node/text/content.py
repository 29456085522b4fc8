"""One content item of a structured report, made anew without its identifiers."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import lru_cache

from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from updp_node.errors import InstanceError
from updp_node.standard import ContentItemRow, content_items
from updp_node.subject import Subject, UidMap
from updp_node.text.coded import code_of, enumerated, known_template, rewrite_code
from updp_node.text.identity import Identity
from updp_node.text.scrub import Replacement, Scrubber

_SUBJECT_NAME = "121029"
_REMOVED_NAME = "Removed^Name"
_DUMMY = {"DATE": "19000101", "TIME": "000000", "DATETIME": "19000101000000", "TEXT": "REMOVED",
          "PNAME": _REMOVED_NAME}  # fmt: skip
_COORDINATES = frozenset({"SCOORD", "SCOORD3D", "TCOORD"})
_KEPT: Mapping[str, tuple[str, ...]] = {
    "CONTAINER": ("ContinuityOfContent",),
    "SCOORD": ("GraphicData", "GraphicType", "PixelOriginInterpretation"),
    "SCOORD3D": ("GraphicData", "GraphicType"),
    "TCOORD": ("TemporalRangeType", "ReferencedSamplePositions", "ReferencedTimeOffsets"),
}
_REFERENCE = ("ReferencedFrameNumber", "ReferencedSegmentNumber", "ReferencedWaveformChannels")
_MODIFIED_DATES = "Retain Longitudinal Temporal Information With Modified Dates"
_NUMBERS = (
    "NumericValue",
    "FloatingPointValue",
    "RationalNumeratorValue",
    "RationalDenominatorValue",
)


@dataclass
class ContentScrubber:
    """Makes content items anew; counts what it replaced.

    Attributes
    ----------
    scrubber : Scrubber
    identity : Identity
    subject : Subject
    uids : UidMap
    replacement : Replacement
    shift_dates : bool
        Dates are moved; else they are replaced by dummies.
    instances : frozenset of str
        SOP Instance UIDs that the report refers to: a UIDREF of one of them names the same.
    spans, removed : int
        Identifiers replaced in text; content items left out.
    has_coordinates : bool
        An item rests on the pixels or the geometry of another object.
    """

    scrubber: Scrubber
    identity: Identity
    subject: Subject
    uids: UidMap
    replacement: Replacement
    shift_dates: bool
    instances: frozenset[str] = frozenset()
    spans: int = 0
    removed: int = 0
    has_coordinates: bool = False
    _meanings: dict[str, str] = field(default_factory=dict)

    def rewrite(self, source: Dataset) -> Dataset | None:
        """The new content item without its children; None: it is left out, children and all.

        Raises
        ------
        InstanceError
            ``unknown-value-type``, ``unscrubbed-date``.

        References
        ----------
        PS3.3 C.17.3, C.18; PS3.15 Table E.3.4-1.
        """
        made = Dataset()
        if "RelationshipType" in source:
            made.RelationshipType = enumerated(source, "RelationshipType")
        if "ReferencedContentItemIdentifier" in source and "ValueType" not in source:
            made.ReferencedContentItemIdentifier = source.ReferencedContentItemIdentifier
            return made
        kind = str(source.get("ValueType") or "")
        if kind not in _WRITERS:
            raise InstanceError("unknown-value-type", "(0040,A040)")
        action = _action(source, kind)
        if action == "X":
            self.removed += 1
            return None
        made.ValueType = kind
        if source.get("ConceptNameCodeSequence"):
            made.ConceptNameCodeSequence = self.rewrite_codes(source.ConceptNameCodeSequence)
        self.rewrite_times(source, made)
        if action == "D" and kind in _DUMMY:
            setattr(made, _VALUE_KEYWORD[kind], self._dummy(source, kind))
        else:
            _WRITERS[kind](self, source, made)
        return made

    def rewrite_times(self, source: Dataset, made: Dataset) -> None:
        """Observation DateTime and UID, which any content item may have."""
        if "ObservationUID" in source:
            made.ObservationUID = self.uids.other(str(source.ObservationUID))
        if self.shift_dates and source.get("ObservationDateTime"):
            made.ObservationDateTime = self._moved(str(source.ObservationDateTime), "DATETIME")

    def rewrite_codes(self, codes: Sequence) -> Sequence:
        """Codes anew: values of unpublished schemes and meanings as text."""
        return Sequence([rewrite_code(code, self._clean_meaning, self._tells) for code in codes])

    def _tells(self, text: str) -> bool:
        return self.scrubber.names_somebody(text, self.identity)

    def _clean_meaning(self, text: str) -> str:
        """Text of a code without its identifiers; the same text is cleaned once."""
        if text not in self._meanings:
            self._meanings[text] = self.clean(text)
        return self._meanings[text]

    def rewrite_template(self, source: Dataset, made: Dataset) -> None:
        """Which template the container follows, where it is told in the standard's form."""
        stated = source.get("ContentTemplateSequence") or []
        templates = [item for item in map(known_template, stated) if item]
        if templates:
            made.ContentTemplateSequence = Sequence(templates)

    def clean(self, text: str) -> str:
        """Text without its identifiers."""
        scrubbed = self.scrubber.scrub(text, self.identity, self.subject, self.replacement)
        self.spans += len(scrubbed.spans)
        return scrubbed.text

    def _dummy(self, source: Dataset, kind: str) -> str:
        if kind == "PNAME" and code_of(source)[0] == _SUBJECT_NAME:
            return self.subject.pseudonym
        return _DUMMY[kind]

    def _moved(self, value: str, kind: str) -> str:
        """A DA or DT moved by the subject's shift, or a TM, to the minute."""
        if kind == "TIME":
            digits = re.match(r"\d{2}(?:\d{2})?", value)
            return f"{digits[0]:0<4}00" if digits else _DUMMY["TIME"]
        match = re.match(r"(\d{4})(\d{2})?(\d{2})?(\d{2})?(\d{2})?", value)
        zone = re.search(r"[+-]\d{4}$", value)
        if not match:
            raise InstanceError("unscrubbed-date", kind)
        try:
            day = date(int(match[1]), int(match[2] or 7), int(match[3] or 1))
            moved = day + timedelta(days=self.subject.shift_days)
        except (ValueError, OverflowError) as error:
            raise InstanceError("unscrubbed-date", kind) from error
        if kind == "DATE":
            return f"{moved:%Y%m%d}"
        clock = (match[4] or "00") + (match[5] or "00") + "00"
        return f"{moved:%Y%m%d}{clock}{zone[0] if zone else ''}"

    def _write_text(self, source: Dataset, made: Dataset) -> None:
        made.TextValue = self.clean(str(source.get("TextValue") or "")) or _DUMMY["TEXT"]

    def _write_name(self, source: Dataset, made: Dataset) -> None:
        made.PersonName = self._dummy(source, "PNAME")
        self.spans += 1

    def _write_moment(self, source: Dataset, made: Dataset) -> None:
        kind = str(source.ValueType)
        keyword = _VALUE_KEYWORD[kind]
        value = str(source.get(keyword) or "")
        setattr(
            made, keyword, self._moved(value, kind) if self.shift_dates and value else _DUMMY[kind]
        )

    def _write_code(self, source: Dataset, made: Dataset) -> None:
        made.ConceptCodeSequence = self.rewrite_codes(
            source.get("ConceptCodeSequence") or Sequence()
        )

    def _write_number(self, source: Dataset, made: Dataset) -> None:
        measured = []
        for value in source.get("MeasuredValueSequence") or []:
            item = Dataset()
            for keyword in _NUMBERS:
                if keyword in value:
                    setattr(item, keyword, value[keyword].value)
            if value.get("MeasurementUnitsCodeSequence"):
                item.MeasurementUnitsCodeSequence = self.rewrite_codes(
                    value.MeasurementUnitsCodeSequence
                )
            measured.append(item)
        made.MeasuredValueSequence = Sequence(measured)
        if source.get("NumericValueQualifierCodeSequence"):
            made.NumericValueQualifierCodeSequence = self.rewrite_codes(
                source.NumericValueQualifierCodeSequence
            )

    def _write_uid(self, source: Dataset, made: Dataset) -> None:
        uid = str(source.get("UID") or "")
        named = uid in self.instances
        made.UID = self.uids.instance(uid) if named else self.uids.other(uid)

    def _write_reference(self, source: Dataset, made: Dataset) -> None:
        made.ReferencedSOPSequence = self._references(source)

    def _references(self, source: Dataset) -> Sequence:
        """References anew; an image may name the presentation state it is shown by in its own."""
        references = []
        for reference in source.get("ReferencedSOPSequence") or []:
            item = Dataset()
            uid = str(reference.get("ReferencedSOPInstanceUID") or "")
            replaced = self.uids.replaced_classes.get(uid)
            item.ReferencedSOPClassUID = replaced or str(
                reference.get("ReferencedSOPClassUID") or ""
            )
            item.ReferencedSOPInstanceUID = self.uids.instance(uid)
            for keyword in _REFERENCE:
                if keyword in reference and not replaced:
                    setattr(item, keyword, reference[keyword].value)
            if reference.get("ReferencedSOPSequence"):
                item.ReferencedSOPSequence = self._references(reference)
            references.append(item)
        return Sequence(references)

    def _write_coordinates(self, source: Dataset, made: Dataset) -> None:
        self.has_coordinates = True
        for keyword in _KEPT[str(source.ValueType)]:
            if keyword in source:
                made[keyword] = source[keyword]
        for keyword in ("GraphicType", "TemporalRangeType", "PixelOriginInterpretation"):
            if keyword in made:
                setattr(made, keyword, enumerated(source, keyword))
        for keyword in ("ReferencedFrameOfReferenceUID", "FiducialUID"):
            if keyword in source:
                setattr(made, keyword, self.uids.other(str(source[keyword].value)))

    def _write_container(self, source: Dataset, made: Dataset) -> None:
        made.ContinuityOfContent = enumerated(source, "ContinuityOfContent") or "SEPARATE"
        self.rewrite_template(source, made)


_VALUE_KEYWORD = {"TEXT": "TextValue", "PNAME": "PersonName", "DATE": "Date", "TIME": "Time",
                  "DATETIME": "DateTime"}  # fmt: skip
_WRITERS: Mapping[str, Callable[[ContentScrubber, Dataset, Dataset], None]] = {
    "TEXT": ContentScrubber._write_text,
    "PNAME": ContentScrubber._write_name,
    "DATE": ContentScrubber._write_moment,
    "TIME": ContentScrubber._write_moment,
    "DATETIME": ContentScrubber._write_moment,
    "CODE": ContentScrubber._write_code,
    "NUM": ContentScrubber._write_number,
    "UIDREF": ContentScrubber._write_uid,
    "COMPOSITE": ContentScrubber._write_reference,
    "IMAGE": ContentScrubber._write_reference,
    "WAVEFORM": ContentScrubber._write_reference,
    "SCOORD": ContentScrubber._write_coordinates,
    "SCOORD3D": ContentScrubber._write_coordinates,
    "TCOORD": ContentScrubber._write_coordinates,
    "CONTAINER": ContentScrubber._write_container,
}


@lru_cache(maxsize=1)
def _actions() -> Mapping[tuple[str, str, str], ContentItemRow]:
    return {(row.code, row.scheme, row.value_type): row for row in content_items()}


def _action(item: Dataset, kind: str) -> str:
    """X, D or C (write it by its value type) for a content item.

    The Clean Descriptors and Clean Structured Content options are always in force: what the
    table lets be cleaned is cleaned. References and UIDs are replaced, not removed.
    """
    row = _actions().get((*code_of(item), kind))
    if row is None or kind in {"IMAGE", "COMPOSITE", "WAVEFORM", "UIDREF"}:
        return "C"
    if "Clean Descriptors" in row.options or _MODIFIED_DATES in row.options:
        return "C"
    return "X" if row.basic == "X" else "D"
