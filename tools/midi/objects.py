"""What identifiers are planted into.

Packaged samples, objects of the test factories, and objects of further modalities made from these.
"""

from __future__ import annotations

import copy
import hashlib
import random
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

import pydicom
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian

from tests import factories
from tests.factories import code
from tools.midi import words
from tools.midi.people import Person

FOLDER = Path(pydicom.__file__).parent / "data" / "test_files"
ROOT = "1.3.6.1.4.1.99992.3"
_SAMPLES = {
    "CT": ["CT_small.dcm", "693_J2KI.dcm"]
    + [f"dicomdirtests/98892001/CT2N/{number}" for number in (6293, 6924)]
    + [f"dicomdirtests/98892001/CT5N/{number}" for number in (2062, 2392)]
    + [f"dicomdirtests/77654033/CT2/{number}" for number in (17106, 17136)],
    "MR": [f"MR_small{kind}.dcm" for kind in ("", "_RLE", "_bigendian", "_implicit")]
    + ["MR_small_jp2klossless.dcm", "MR_small_jpeg_ls_lossless.dcm"]
    + [f"dicomdirtests/98892003/{name}" for name in ("MR1/15820", "MR2/15970", "MR700/4467")],
    "CR": [f"dicomdirtests/77654033/{name}" for name in ("CR1/6154", "CR2/6247", "CR3/6278")],
    "OT": [f"SC_{kind}.dcm" for kind in ("rgb_small_odd", "rgb_rle_2frame", "rgb_gdcm_KY",
                                         "ybr_full_422_uncompressed")],
    "NM": ["JPEG2000.dcm"],
    "US": ["ExplVR_BigEnd.dcm"],
    "RT": ["rtplan.dcm", "rtdose.dcm", "rtdose_1frame.dcm"],
    "SR": ["reportsi.dcm", "test-SR.dcm"],
}  # fmt: skip
_CLASS_ROOT = "1.2.840.10008."
_VOCABULARY = ("CodingScheme", "ContextUID", "MappingResource", "ReferencedSOPClass", "SOPClass")
_STORAGE = "1.2.840.10008.5.1.4.1.1."

Study = list[Dataset]


def make_study(rng: random.Random, person: Person, study_uid: str) -> tuple[str, Study]:
    """A study of one of the kinds: its modality for the words, and its objects."""
    kind = rng.choices(list(_KINDS), weights=[weight for weight, _ in _KINDS.values()])[0]
    return kind.split("-")[0], _KINDS[kind][1](rng, person, study_uid)


def uid_of(*parts: object) -> str:
    """A source UID, the same for the same parts."""
    digest = hashlib.sha256("/".join(map(str, parts)).encode()).digest()
    return f"{ROOT}.{int.from_bytes(digest[:12], 'big')}"


@lru_cache(maxsize=64)
def _read(name: str) -> Dataset:
    return dcmread(FOLDER / name, force=True)


def _sampled(kind: str) -> Callable[[random.Random, Person, str], Study]:
    def make(rng: random.Random, person: Person, study_uid: str) -> Study:
        del person
        names = rng.choices(
            _SAMPLES[kind], k=1 if kind in {"SR", "NM", "OT"} else rng.randint(1, 4)
        )
        return [_adopt(_read(name), study_uid, index, name) for index, name in enumerate(names)]

    return make


def _adopt(sample: Dataset, study_uid: str, index: int, name: str) -> Dataset:
    """A sample under UIDs of its own; what its UIDs have in common stays in common."""
    made = copy.deepcopy(sample)
    for element in _elements(made):
        if element.VR == "UI" and element.value and not element.keyword.startswith(_VOCABULARY):
            values = [element.value] if isinstance(element.value, str) else list(element.value)
            mapped = [_adopted(str(each), study_uid, index, name) for each in values]
            element.value = mapped[0] if len(mapped) == 1 else mapped
    made.StudyInstanceUID = study_uid
    made.SeriesInstanceUID = uid_of(study_uid, "series", name.rpartition("/")[0] or name)
    made.SOPInstanceUID = uid_of(study_uid, "instance", name, index)
    syntax = sample.file_meta.TransferSyntaxUID
    made.file_meta = FileMetaDataset()
    made.file_meta.TransferSyntaxUID = syntax
    return made


def _adopted(uid: str, study_uid: str, index: int, name: str) -> str:
    if uid.startswith(_CLASS_ROOT) or not uid:
        return uid
    return uid_of(study_uid, uid, name, index if "InstanceUID" in uid else 0)


def _elements(dataset: Dataset) -> Iterator[pydicom.DataElement]:
    for element in dataset:
        if element.VR == "SQ":
            for item in element.value:
                yield from _elements(item)
        else:
            yield element


def _native(objects: Study) -> Study:
    for each in objects:
        each.file_meta = FileMetaDataset()
        each.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    return objects


def _patient(person: Person) -> factories.Patient:
    """The factories' patient with this person's particulars."""
    site = person.site
    return factories.patient(
        name=person.name, other_name=f"{person.last}^{person.first[0]}", mother_name=person.mother,
        patient_id=person.patient_id, other_id=person.other_id, issuer=site.institution,
        birth_date=f"{person.birth:%Y%m%d}", sex=person.sex, age=person.age, phone=person.phone,
        address=person.address, email=person.email, occupation=person.occupation,
        accession=person.accession[:16], study_id=f"S{person.accession}"[:16],
        admission_id=person.admission, study_date=f"{person.study_day:%Y%m%d}",
        referring=site.referrer, performing=site.radiologist, operator=site.technologist,
        reader=site.radiologist, requester=site.referrer, verifier=site.radiologist,
        institution=site.institution, institution_address=site.address, department=site.department,
        station="CT01", device_serial="74062", detector_id="DET-5531",
    )  # fmt: skip


def _chest(rng: random.Random, person: Person, study_uid: str) -> Study:
    make = rng.choice((factories.chest_cr, factories.chest_dx))
    image = make(
        patient=_patient(person),
        study_uid=study_uid,
        rows=128,
        columns=128,
        view=rng.choice(("PA", "AP")),
    )
    report = factories.text_sr(references=[image], patient=_patient(person), study_uid=study_uid)
    state = factories.presentation_state(image, patient=_patient(person))
    return _native([image, report, state])


def _slices(rng: random.Random, person: Person, study_uid: str) -> Study:
    count = rng.randint(3, 8)
    slices = factories.ct_series(count, rows=48, patient=_patient(person), study_uid=study_uid)
    extras = [
        factories.comprehensive_sr_with_scoord(slices[0], patient=_patient(person)),
        factories.key_object(slices[:2], patient=_patient(person)),
        factories.text_sr(references=slices[:1], patient=_patient(person), study_uid=study_uid),
    ]
    for each in slices:
        each.ImageComments = ""
        each.SourceImageSequence = Sequence([factories.reference(slices[0])])
        each.SourceImageSequence[0].PurposeOfReferenceCodeSequence = Sequence(
            [code(*words.CODES["purpose"][0])]
        )
    return _native([*slices, *rng.sample(extras, k=rng.randint(0, 2))])


def _mr(rng: random.Random, person: Person, study_uid: str) -> Study:
    slices = factories.ct_series(
        rng.randint(2, 5), rows=48, patient=_patient(person), study_uid=study_uid
    )
    for index, each in enumerate(slices):
        each.SOPClassUID, each.Modality = _STORAGE + "4", "MR"
        for keyword in ("KVP", "RescaleIntercept", "RescaleSlope", "RescaleType"):
            delattr(each, keyword)
        each.ScanningSequence, each.SequenceVariant, each.ScanOptions = "SE", "SK", "FS"
        each.MRAcquisitionType, each.RepetitionTime, each.EchoTime = "2D", "4000", "87"
        each.EchoTrainLength, each.MagneticFieldStrength, each.FlipAngle = 15, "3", "150"
        each.SequenceName, each.ImagedNucleus = (
            rng.choice(("*tse2d1_15", "ep_b1000", "*fl3d1")),
            "1H",
        )
        siemens = each.private_block(0x0019, "SIEMENS MR HEADER", create=True)
        siemens.add_new(0x0C, "IS", rng.choice(("0", "500", "1000")))
        siemens.add_new(0x0D, "CS", "DIRECTIONAL")
        siemens.add_new(0x0E, "FD", [0.7071, -0.7071, 0.0])
        philips = each.private_block(0x2001, "Philips Imaging DD 001", create=True)
        philips.add_new(0x03, "FL", 1000.0)
        philips.add_new(0x04, "CS", "M")
        ge = each.private_block(0x0019, "GEMS_ACQU_01", create=True)
        ge.add_new(0x9E, "LO", rng.choice(("efgre3d", f"efgre3d {person.last}", "FSE-XL")))
        each.InstanceNumber = index + 1
    return _native(slices)


def _pt(rng: random.Random, person: Person, study_uid: str) -> Study:
    slices = factories.ct_series(
        rng.randint(2, 5), rows=48, patient=_patient(person), study_uid=study_uid
    )
    day = f"{person.study_day:%Y%m%d}"
    for each in slices:
        each.SOPClassUID, each.Modality = _STORAGE + "128", "PT"
        each.Units, each.CountsSource, each.SeriesType = "BQML", "EMISSION", ["WHOLE BODY", "IMAGE"]
        each.CorrectedImage, each.DecayCorrection = ["DECY", "ATTN", "SCAT"], "START"
        each.AttenuationCorrectionMethod, each.ReconstructionMethod = "CTAC", "OSEM 2i24s"
        each.FrameReferenceTime, each.ActualFrameDuration = "150000", 180000
        dose = Dataset()
        dose.Radiopharmaceutical = "Fluorodeoxyglucose"
        dose.RadiopharmaceuticalStartDateTime = f"{day}101500.00"
        dose.RadiopharmaceuticalStartTime, dose.RadionuclideTotalDose = "101500.00", "370500000"
        dose.RadionuclideHalfLife, dose.RadionuclidePositronFraction = "6586.2", "0.97"
        dose.RadionuclideCodeSequence = Sequence([code("C-111A1", "SRT", "^18^Fluorine")])
        each.RadiopharmaceuticalInformationSequence = Sequence([dose])
    return _native(slices)


def _mg(rng: random.Random, person: Person, study_uid: str) -> Study:
    views = []
    for number, (side, view, codes) in enumerate((("R", "CC", 1), ("L", "MLO", 0)), start=1):
        each = factories.chest_dx(
            patient=_patient(person), study_uid=study_uid, rows=128, columns=96, number=number
        )
        each.SOPClassUID, each.Modality = _STORAGE + "1.2", "MG"
        each.BodyPartExamined, each.ImageLaterality, each.ViewPosition = "BREAST", side, view
        each.AnatomicRegionSequence = Sequence([code("76752008", "SCT", "Breast")])
        each.ViewCodeSequence = Sequence([code(*words.CODES["view"][codes])])
        each.ViewCodeSequence[0].ViewModifierCodeSequence = Sequence([])
        each.PositionerType, each.BodyPartThickness, each.CompressionForce = (
            "MAMMOGRAPHIC",
            "52",
            "98",
        )
        each.BreastImplantPresent, each.PartialView, each.OrganExposed = "NO", "NO", "BREAST"
        each.FilterMaterial, each.AnodeTargetMaterial = "RHODIUM", "TUNGSTEN"
        each.PaddleDescription = rng.choice(("18x24 FLEX", "10CM SPOT", "STANDARD 24X29"))
        views.append(each)
    return _native(views)


def _us(rng: random.Random, person: Person, study_uid: str) -> Study:
    return _native(
        [factories.ultrasound(rng.randint(1, 3), patient=_patient(person), study_uid=study_uid)]
    )


def _sc(rng: random.Random, person: Person, study_uid: str) -> Study:
    del rng
    return _native([factories.secondary_capture(patient=_patient(person), study_uid=study_uid)])


_KINDS: dict[str, tuple[int, Callable[[random.Random, Person, str], Study]]] = {
    "CT-sample": (22, _sampled("CT")), "MR-sample": (18, _sampled("MR")),
    "CR-sample": (8, _sampled("CR")), "OT-sample": (5, _sampled("OT")),
    "NM-sample": (3, _sampled("NM")), "US-sample": (2, _sampled("US")),
    "RT-sample": (6, _sampled("RT")), "SR-sample": (3, _sampled("SR")), "DX-chest": (12, _chest),
    "CT-slices": (16, _slices), "MR-slices": (10, _mr), "PT-slices": (8, _pt),
    "MG-views": (8, _mg), "US-clip": (6, _us), "OT-capture": (4, _sc),
}  # fmt: skip
