"""One content item of a structured report, made anew without its identifiers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.sequence import Sequence

from updp_node.errors import InstanceError
from updp_node.subject import Subject, UidMap
from updp_node.text.coded import code_of, enumerated, known_template, rewrite_code
from updp_node.text.identity import Identity
from updp_node.text.items import ContentPolicy, item_action
from updp_node.text.links import named_place
from updp_node.text.moments import DUMMY_MOMENTS, move_moment
from updp_node.text.numbers import copy_numbers
from updp_node.text.scrub import Replacement, ScrubbedText, Scrubber

_SUBJECT_NAME = "121029"
_DUMMY = {**DUMMY_MOMENTS, "TEXT": "REMOVED", "PNAME": "Removed^Name"}
_UNKNOWN = ("261665006", "SCT", "Unknown")
_KEPT: Mapping[str, tuple[str, ...]] = {
    "CONTAINER": ("ContinuityOfContent",),
    "SCOORD": ("GraphicData", "GraphicType", "PixelOriginInterpretation"),
    "SCOORD3D": ("GraphicData", "GraphicType"),
    "TCOORD": ("TemporalRangeType", "ReferencedSamplePositions", "ReferencedTimeOffsets"),
}
_REFERENCE = ("ReferencedFrameNumber", "ReferencedSegmentNumber", "ReferencedWaveformChannels")


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
    policy : ContentPolicy
        What the profile asks of content trees.
    instances : frozenset of str
        SOP Instance UIDs that the report refers to: a UIDREF of one of them names the same.
    known : frozenset of str
        `issued` of an earlier run that made this tree: its surrogates stay.
    spans, removed : int
        Identifiers replaced in text; content items left out.
    issued : set of str
        Words of every surrogate that was written.
    has_coordinates : bool
        An item rests on the pixels or the geometry of another object.
    """

    scrubber: Scrubber
    identity: Identity
    subject: Subject
    uids: UidMap
    replacement: Replacement
    policy: ContentPolicy
    instances: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    spans: int = 0
    removed: int = 0
    issued: set[str] = field(default_factory=set)
    has_coordinates: bool = False
    _meanings: dict[str, str] = field(default_factory=dict)

    def is_removed(self, source: Dataset) -> bool:
        """Whether a content item is left out, children and all.

        References
        ----------
        PS3.15 Table E.3.4-1.
        """
        kind = str(source.get("ValueType") or "")
        return kind in _WRITERS and item_action(source, kind, self.policy) == "X"

    def rewrite(self, source: Dataset) -> Dataset:
        """The new content item without its children; where it names another, not yet by place.

        Raises
        ------
        InstanceError
            ``unknown-value-type``, ``unscrubbed-date``, ``unreadable-attribute``.

        References
        ----------
        PS3.3 C.17.3, C.18; PS3.15 Table E.3.4-1.
        """
        made = Dataset()
        if "RelationshipType" in source:
            made.RelationshipType = enumerated(source, "RelationshipType")
        if named_place(source):
            return made
        kind = str(source.get("ValueType") or "")
        if kind not in _WRITERS:
            raise InstanceError("unknown-value-type", "(0040,A040)")
        made.ValueType = kind
        if source.get("ConceptNameCodeSequence"):
            made.ConceptNameCodeSequence = self.rewrite_codes(source.ConceptNameCodeSequence)
        self.rewrite_times(source, made)
        self._write_value(item_action(source, kind, self.policy), kind, source, made)
        return made

    def _write_value(self, action: str, kind: str, source: Dataset, made: Dataset) -> None:
        keyword = _VALUE_KEYWORD.get(kind, "")
        if action == "D" and keyword:
            setattr(made, keyword, self._dummy(source, kind))
        elif action == "D" and kind in {"CODE", "NUM"}:
            _write_nothing(kind, made)
        elif action == "K" and kind == "TEXT":
            self._keep(source, made)
        else:
            _WRITERS[kind](self, source, made)

    def _keep(self, source: Dataset, made: Dataset) -> None:
        """What an option retains stays as written, unless it tells an identifier of the header."""
        value = str(source.get("TextValue") or "")
        made.TextValue = (self.clean(value) if self.tells(value) else value) or _DUMMY["TEXT"]

    def rewrite_times(self, source: Dataset, made: Dataset) -> None:
        """Observation DateTime and UID, which any content item may have."""
        if "ObservationUID" in source:
            made.ObservationUID = self.uids.other(str(source.ObservationUID))
        if self.policy.dates != "remove" and source.get("ObservationDateTime"):
            made.ObservationDateTime = self.move(str(source.ObservationDateTime), "DATETIME")

    def rewrite_codes(self, codes: Sequence) -> Sequence:
        """Codes anew: values of unpublished schemes and meanings as text."""
        return Sequence([rewrite_code(code, self._clean_meaning, self.tells) for code in codes])

    def tells(self, text: str) -> bool:
        """Whether a text holds an identifier of the header."""
        return self.scrubber.names_somebody(text, self.identity)

    def _clean_meaning(self, text: str) -> str:
        """Text of a code without its identifiers; the same text is cleaned once."""
        if text not in self._meanings:
            self._meanings[text] = self.scrub(text, closed=False).text
        return self._meanings[text]

    def rewrite_template(self, source: Dataset, made: Dataset) -> None:
        """Which template the container follows, where it is told in the standard's form."""
        stated = source.get("ContentTemplateSequence") or []
        templates = [item for item in map(known_template, stated) if item]
        if templates:
            made.ContentTemplateSequence = Sequence(templates)

    def clean(self, text: str) -> str:
        """Text without its identifiers."""
        return self.scrub(text).text

    def scrub(self, text: str, *, closed: bool = True) -> ScrubbedText:
        """Text without its identifiers, and where they stood; see `Scrubber.find`."""
        scrubbed = self.scrubber.scrub(
            text, self.identity, self.subject, self.replacement, self.known, closed=closed
        )
        self.spans += len(scrubbed.spans)
        self.issued |= scrubbed.issued
        return scrubbed

    def _dummy(self, source: Dataset, kind: str) -> str:
        if kind == "PNAME" and code_of(source)[0] == _SUBJECT_NAME:
            return self.subject.pseudonym
        return _DUMMY[kind]

    def move(self, value: str, kind: str) -> str:
        """A date or time, moved as the profile and the subject's shift have it."""
        return move_moment(value, kind, self.policy, self.subject.shift_days)

    def _write_text(self, source: Dataset, made: Dataset) -> None:
        made.TextValue = self.clean(str(source.get("TextValue") or "")) or _DUMMY["TEXT"]

    def _write_name(self, source: Dataset, made: Dataset) -> None:
        made.PersonName = self._dummy(source, "PNAME")
        self.spans += 1

    def _write_moment(self, source: Dataset, made: Dataset) -> None:
        kind = str(source.ValueType)
        keyword = _VALUE_KEYWORD[kind]
        setattr(made, keyword, self.move(str(source.get(keyword) or ""), kind))

    def _write_code(self, source: Dataset, made: Dataset) -> None:
        made.ConceptCodeSequence = self.rewrite_codes(
            source.get("ConceptCodeSequence") or Sequence()
        )

    def _write_number(self, source: Dataset, made: Dataset) -> None:
        measured = []
        for value in source.get("MeasuredValueSequence") or []:
            item = copy_numbers(value, code_of(source))
            copied = len(item)
            if value.get("MeasurementUnitsCodeSequence"):
                item.MeasurementUnitsCodeSequence = self.rewrite_codes(
                    value.MeasurementUnitsCodeSequence
                )
            measured += [item] if copied else []
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
        if source.get("ReferencedDateTime") and self.policy.dates != "remove":
            stated = source.ReferencedDateTime
            moments = stated if isinstance(stated, (MultiValue, list)) else [stated]
            made.ReferencedDateTime = [self.move(str(each), "DATETIME") for each in moments]
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


def _write_nothing(kind: str, made: Dataset) -> None:
    """A code or a measurement that says nothing (PS3.3 C.18.1, C.18.2)."""
    if kind == "NUM":
        made.MeasuredValueSequence = Sequence()
        return
    code = Dataset()
    code.CodeValue, code.CodingSchemeDesignator, code.CodeMeaning = _UNKNOWN
    made.ConceptCodeSequence = Sequence([code])
