"""Content trees with a canary in whatever an item can hold."""

from __future__ import annotations

from collections.abc import Sequence

from pydicom.dataset import Dataset

from tests.factories.documents import content_item
from tests.factories.modules import code, fill, make_uid, reference
from tests.factories.people import Patient, spell_date

SR_CLASSES = "1.2.840.10008.5.1.4.1.1.88."


def others() -> list[Dataset]:
    """What else the reports refer to: a prior report and a waveform of another study."""
    named = [(SR_CLASSES + "11", "prior report"),
             ("1.2.840.10008.5.1.4.1.1.9.1.1", "ecg")]  # fmt: skip
    return [fill(Dataset(), {
        "SOPClassUID": sop_class, "SOPInstanceUID": make_uid(name),
        "StudyInstanceUID": make_uid("other study"), "SeriesInstanceUID": make_uid("of", name),
    }) for sop_class, name in named]  # fmt: skip


def tree_of(
    person: Patient, values: Sequence[str], images: Sequence[Dataset], *, is_key_object: bool
) -> list[Dataset]:
    """Content items of each value type of `values`; ``by reference``: one names another's place."""
    items = [item for name, make in _MAKERS.items() if name in values
             for item in make(person, images)]  # fmt: skip
    for number, item in enumerate(items):
        spoil(item, person)
        item.ObservationUID = make_uid("observation", number)
        item.ObservationDateTime = person.study_date + "141253"
    if is_key_object:
        note = code("113012", "DCM", "Key Object Description")
        for item in items:
            if item.ValueType == "TEXT":
                item.ConceptNameCodeSequence = [note]
            if item.ValueType in {"IMAGE", "COMPOSITE", "WAVEFORM"}:
                del item.ConceptNameCodeSequence
        return items
    if "by reference" in values:
        place = next(n for n, item in enumerate(items, 1) if item.ValueType == "IMAGE")
        _measurement(items).ContentSequence = [fill(Dataset(), {
            "RelationshipType": "INFERRED FROM", "ReferencedContentItemIdentifier": [1, place],
        })]  # fmt: skip
    return items


def _measurement(items: list[Dataset]) -> Dataset:
    return [item for item in items if item.ValueType == "NUM" and "ContentSequence" not in item][-1]


def spoil(item: Dataset, person: Patient) -> None:
    """Attributes that no value type defines, and a private one."""
    item.PatientComments = f"Call {person.name}"
    item.RetrieveAETitle = person.station
    item.private_block(0x0099, person.name, create=True).add_new(1, "LO", person.patient_id)


def _said(person: Patient) -> str:
    last, first = person.name.split("^")[:2]
    return (f"Small left pleural effusion in {first} {last}, MRN {person.patient_id}, seen by Dr. "
            f"{person.referring.split('^')[0]} on {spell_date(person.study_date)[2]} at "
            f"{person.institution}; call {person.phone}.")  # fmt: skip


def _texts(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    concepts = [
        ("121071", "DCM", "Finding"), ("121106", "DCM", "Comment"), ("121022", "DCM", "Accession"),
        ("121030", "DCM", "Subject ID"), ("121009", "DCM", "Person Observer's Organization Name"),
        ("112039", "DCM", "Tracking Identifier"), ("L1", "99QV", "Recording observer"),
        ("121008", "DCM", "Person Observer Name"), ("L2", "99QV", f"Note of {person.reader}"),
        ("113815", "DCM", "Patient Model"), ("125203", "DCM", "Acquisition Protocol"),
        ("121013", "DCM", "Device Observer Name"),
    ]  # fmt: skip
    return [content_item("TEXT", code(*each), TextValue=_said(person)) for each in concepts]


def _names(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    concepts = [("121008", "Person Observer Name"), ("121029", "Subject Name"),
                ("113870", "Person Name"), ("121036", "Mother of fetus")]  # fmt: skip
    names = [person.reader, person.name, person.operator, person.mother_name]
    return [content_item("PNAME", code(value, "DCM", meaning), PersonName=name)
            for (value, meaning), name in zip(concepts, names, strict=True)]  # fmt: skip


def _moments(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    stamp = person.study_date + "141253.871+0100"
    concepts = [code("111526", "DCM", "DateTime Started"), code("L3", "99QV", "Some moment")]
    return [content_item("DATETIME", concept, DateTime=stamp) for concept in concepts]


def _dates(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    return [
        content_item("DATE", code("121031", "DCM", "Subject Birth Date"), Date=person.birth_date),
        content_item("DATE", code("111060", "DCM", "Study Date"), Date=person.study_date),
        content_item("TIME", code("111061", "DCM", "Study Time"), Time=person.study_time),
    ]


def _codes(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    surname = person.reader.split("^", maxsplit=1)[0]
    own = code(person.patient_id, "99QV", f"Seen by Dr. {surname}")
    own.CodingSchemeVersion = person.accession
    sex = code("M", "DCM", f"Male {surname}")
    finding = code("121071", "DCM", "Finding")
    return [content_item("CODE", finding, ConceptCodeSequence=[own]),
            content_item("CODE", code("121032", "DCM", "Subject Sex"), ConceptCodeSequence=[sex]),
            content_item("CODE", code("L4", "99QV", f"For {surname}"), ConceptCodeSequence=[
                code("60046008", "SCT", f"Effusion of {person.name}")])]  # fmt: skip


def _uids(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    named = [("110180", "Study Instance UID", images[0].StudyInstanceUID),
             ("112002", "Series Instance UID", images[0].SeriesInstanceUID),
             ("112040", "Tracking Unique Identifier", make_uid("tracking")),
             ("121012", "Device Observer UID", make_uid("device")),
             ("113769", "Irradiation Event UID", images[0].SOPInstanceUID)]  # fmt: skip
    return [content_item("UIDREF", code(value, "DCM", meaning), UID=uid)
            for value, meaning, uid in named]  # fmt: skip


def _numbers(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    unit = code("mm", "UCUM", f"mm {person.name}")
    value = fill(Dataset(), {"NumericValue": "12.5", "MeasurementUnitsCodeSequence": [unit],
                             "PatientComments": person.name})  # fmt: skip
    years = fill(
        Dataset(),
        {"NumericValue": "72", "MeasurementUnitsCodeSequence": [code("a", "UCUM", "year")]},
    )
    lengths = content_item("NUM", code("410668003", "SCT", "Length"),
                           MeasuredValueSequence=[value], NumericValueQualifierCodeSequence=[
                               code("Q1", "99QV", f"Estimated by {person.reader}")])  # fmt: skip
    age = content_item("NUM", code("121033", "DCM", "Subject Age"), MeasuredValueSequence=[years])
    return [age, lengths]


def _references(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    concept = code("121180", "DCM", "Key Images")
    return [content_item("IMAGE", concept, ReferencedSOPSequence=[_spoiled(image, person)])
            for image in images]  # fmt: skip


def _spoiled(image: Dataset, person: Patient) -> Dataset:
    named = reference(image)
    spoil(named, person)
    return named


def _composite(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    prior = reference(others()[0])
    return [content_item("COMPOSITE", code("122075", "DCM", "Prior report for current patient"),
                         ReferencedSOPSequence=[prior])]  # fmt: skip


def _waveform(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    ecg = fill(reference(others()[1]), {"ReferencedWaveformChannels": [1, 1]})
    return [content_item("WAVEFORM", code("121112", "DCM", "Source of Measurement"),
                         ReferencedSOPSequence=[ecg])]  # fmt: skip


def _region(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    selected = content_item(
        "IMAGE",
        code("121112", "DCM", "Source of Measurement"),
        "SELECTED FROM",
        ReferencedSOPSequence=[reference(images[0])],
    )
    region = content_item("SCOORD", code("111030", "DCM", "Image Region"), "INFERRED FROM",
                          GraphicType="POLYLINE", GraphicData=[10.0, 10.0, 60.0, 80.0],
                          ContentSequence=[selected])  # fmt: skip
    return [_measured(region)]


def _volume(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    return [_measured(content_item(
        "SCOORD3D", code("111030", "DCM", "Image Region"), "INFERRED FROM", GraphicType="POINT",
        GraphicData=[1.0, 2.0, 3.0], ReferencedFrameOfReferenceUID=make_uid("frame"),
    ))]  # fmt: skip


def _span(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    selected = _waveform(person, images)[0]
    selected.RelationshipType = "SELECTED FROM"
    span = content_item("TCOORD", code("L5", "99QV", "Span"), "INFERRED FROM",
                        TemporalRangeType="POINT", ContentSequence=[selected],
                        ReferencedDateTime=[person.study_date + "141253"])  # fmt: skip
    return [_measured(span)]


def _measured(child: Dataset) -> Dataset:
    value = fill(
        Dataset(),
        {
            "NumericValue": "86",
            "FloatingPointValue": 86.25,
            "MeasurementUnitsCodeSequence": [code("mm", "UCUM", "mm")],
        },
    )
    return content_item("NUM", code("410668003", "SCT", "Length"), MeasuredValueSequence=[value],
                        ContentSequence=[child])  # fmt: skip


def _containers(person: Patient, images: Sequence[Dataset]) -> list[Dataset]:
    hidden = fill(Dataset(), {"MappingResource": "99QV", "TemplateIdentifier": person.patient_id})
    inner = content_item("TEXT", code("121071", "DCM", "Finding"), TextValue=_said(person))
    section = code("121070", "DCM", f"Findings for {person.name.split('^')[0]}")
    return [content_item("CONTAINER", section, ContinuityOfContent="SEPARATE",
                         ContentTemplateSequence=[hidden], ContentSequence=[inner])]  # fmt: skip


_MAKERS = {"PNAME": _names, "TEXT": _texts, "DATETIME": _moments, "DATE": _dates, "CODE": _codes,
           "UIDREF": _uids, "NUM": _numbers, "IMAGE": _references, "COMPOSITE": _composite,
           "WAVEFORM": _waveform, "SCOORD": _region, "SCOORD3D": _volume, "TCOORD": _span,
           "CONTAINER": _containers}  # fmt: skip
