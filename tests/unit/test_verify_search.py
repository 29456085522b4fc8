"""Planted identifiers are found wherever they stand; what only looks like one is not."""

from __future__ import annotations

import io
import pickle
from collections.abc import Callable

import numpy as np
import pytest
from pydicom import Dataset, dcmread, dcmwrite
from pydicom.sequence import Sequence

from tests import factories
from updp_node.errors import InstanceError
from updp_node.verify import Allowances, Evidence, read_evidence, verify

PERSON = factories.patient()
SOURCE = factories.chest_cr(rows=32, columns=32)
EVIDENCE = read_evidence([SOURCE])
NONE_RETAINED = Allowances()


def clean() -> Dataset:
    """An object as it may leave."""
    made = Dataset()
    made.SpecificCharacterSet = "ISO_IR 192"
    made.SOPClassUID = SOURCE.SOPClassUID
    made.SOPInstanceUID, made.StudyInstanceUID, made.SeriesInstanceUID = (
        "2.25.1",
        "2.25.2",
        "2.25.3",
    )
    made.Modality, made.PatientName, made.PatientID = "CR", "PROJ-7X", "PROJ-7X"
    made.PatientIdentityRemoved = "YES"
    made.DeidentificationMethodCodeSequence = Sequence(
        [factories.code("113100", "DCM", "Basic Application Confidentiality Profile")]
    )
    made.StudyDate, made.StudyTime, made.StudyDescription = "20230101", "1412", "Thorax PA"
    made.Manufacturer, made.ManufacturerModelName = "QVendor", "Thoraxia 9"
    made.Rows = made.Columns = 32
    made.SamplesPerPixel, made.BitsAllocated, made.BitsStored, made.HighBit = 1, 16, 12, 11
    made.PhotometricInterpretation, made.PixelRepresentation = "MONOCHROME2", 0
    made.PixelData = SOURCE.PixelData
    return made


def encode(made: Dataset) -> bytes:
    plain = factories.encode(made)
    read = dcmread(io.BytesIO(plain))
    for keyword in ("SourceApplicationEntityTitle",):
        delattr(read.file_meta, keyword)
    buffer = io.BytesIO()
    dcmwrite(buffer, read, enforce_file_format=True)
    return buffer.getvalue()


def refused(
    encoded: bytes, evidence: Evidence = EVIDENCE, allow: Allowances = NONE_RETAINED
) -> InstanceError:
    with pytest.raises(InstanceError) as caught:
        verify(encoded, evidence, allow=allow)
    detail = str(caught.value).lower()
    assert not any(canary.lower() in detail for canary in factories.canaries(PERSON))
    return caught.value


def test_a_clean_object_passes() -> None:
    checked = verify(encode(clean()), EVIDENCE, allow=NONE_RETAINED)
    assert checked.sop_instance_uid == "2.25.1"
    assert checked.series_uid == "2.25.3"


SPELLINGS = [
    "Qvistorpe", "QVISTORPE", "qvistorpe's film", "Mr.Qvistorpe1951", "Zebediahn Qvistorpe",
    "Qvistorpe, Zebediahn", "von Qvístørpe", "NachQvistorpeVerlegt", "seen by Drommelhart",
    "7738201946", "MRN 773-820-1946", "77 38 20 19 46", "zqx 55 90817", "ACQV8830172",
    "call 555-017-7391", "5550177391", "born 23.06.1951", "June 23, 1951",
    "23JUN1951", "6/23/51", "1951-06-23", "19510623", "23061951", "17. November 2023",
    "le 17 novembre 2023", "11/17/2023", "Wexmoorton Royal Infirmary", "from Wexmoorton Royal",
    "12 Tharnegate Row", "z.qvistorpe@wexmoormail.example", "SNQV-3391-77", "station QVSTATION07",
    "unit Kestrelwing",
]  # fmt: skip


@pytest.mark.parametrize("text", SPELLINGS)
def test_an_identifier_in_text_is_found_in_any_spelling(text: str) -> None:
    made = clean()
    made.ImageComments = f"Thorax. {text} Compared."
    error = refused(encode(made))
    assert error.code in {"residual-identifier", "residual-date"}


@pytest.mark.parametrize("text", SPELLINGS[:12])
def test_an_identifier_is_found_deep_in_nested_items(text: str) -> None:
    made = clean()
    for _ in range(5):
        made.ContentSequence = Sequence([_content(text, made.get("ContentSequence"))])
    error = refused(encode(made))
    assert "(0040,A730)[1](0040,A730)[1](0040,A160) " in error.detail


def _content(text: str, inner: Sequence | None) -> Dataset:
    item = Dataset()
    item.TextValue = text
    if inner is not None:
        item.ContentSequence = inner
    return item


def _private(made: Dataset, vr: str, value: object) -> None:
    made.private_block(0x0099, "OTHER 1.0", create=True).add_new(0x01, vr, value)


PLACES: dict[str, Callable[[Dataset], None]] = {
    "private text": lambda made: _private(made, "LO", "Qvistorpe^Zebediahn"),
    "unknown value": lambda made: _private(made, "UN", b"\1\2\3 Qvistorpe\0\0\0\7"),
    "unknown value glued": lambda made: _private(made, "UN", b"\1ABqvistorpeXY\7"),
    "unknown value with a number": lambda made: _private(made, "UN", b"\1ZQX-55-90817\2\3"),
    "short name in unknown text": lambda made: _private(made, "UN", b"for Grymsdotter "),
    "bytes in UTF-16": lambda made: _private(made, "OB", "\1Qvistorpe\2".encode("utf-16-le")),
    "bytes in UTF-16 BE": lambda made: _private(made, "OB", "\1Qvistorpe\2".encode("utf-16-be")),
    "bytes with birth date": lambda made: _private(made, "OB", b"\0\0\1\0 1951-06-23\0\0"),
    "ICC profile": lambda made: setattr(made, "ICCProfile", b"\0" * 40 + b"desc QVISTORPE\0\0"),
    "document": lambda made: setattr(
        made, "EncapsulatedDocument", b"%PDF-1.4 (Zebediahn Qvistorpe) Tj %%EOF "
    ),
    "name attribute": lambda made: setattr(made, "OperatorsName", "Grymsdotter^F"),
    "code of a person": lambda made: setattr(made, "StationName", "PPSQV55021"),
    "padding": lambda made: made.add_new(0xFFFCFFFC, "OB", b"\0" * 16 + b"Zebediahn^Qvistorpe\0"),
    "overlay": lambda made: made.add_new(0x60003000, "OW", b"\0" * 40 + b"QVISTORPE\0"),
}


@pytest.mark.parametrize("place", sorted(PLACES))
def test_an_identifier_is_found_in_every_place(place: str) -> None:
    made = clean()
    PLACES[place](made)
    assert refused(encode(made)).code in {"residual-identifier", "residual-date"}


def test_an_identifier_in_preamble_or_file_meta_is_found() -> None:
    encoded = encode(clean())
    assert refused(b"Qvistorpe".ljust(128, b"\0") + encoded[128:]).code == "preamble-not-empty"
    read = dcmread(io.BytesIO(encoded))
    read.file_meta.SourceApplicationEntityTitle = "QVISTORPE"
    buffer = io.BytesIO()
    dcmwrite(buffer, read, enforce_file_format=True)
    assert refused(buffer.getvalue()).code == "file-meta-tells"


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("Ångströmsson^Jörg", "latin-1"), ("Ångströmsson^Jörg", "utf-8"),
        ("Ångströmsson^Jörg", "utf-16-le"), ("Люкceмбypг^Ваня", "iso8859_5"),
        ("Διονυσιος^Νικος", "iso8859_7"), ("山田^太郎", "shift_jis"), ("山田^太郎", "utf-8"),
        ("홍길동^민수", "euc_kr"), ("王雪明^小东", "gb18030"), ("山田^太郎", "iso2022_jp"),
        ("山田丂侄^太郎", "iso2022_jp_2"), ("王曉東^小東", "big5"), ("Щербаков^Юрий", "cp1251"),
    ],
)  # fmt: skip
def test_a_foreign_name_is_found_in_raw_bytes(name: str, encoding: str) -> None:
    source = factories.chest_cr(rows=8, columns=8, patient=factories.patient(name=name))
    made = clean()
    _private(made, "UN", b"\1\0\3" + name.split("^", maxsplit=1)[0].encode(encoding) + b"\0\2")
    assert refused(encode(made), read_evidence([source])).code == "residual-identifier"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("Müller^Anke", "Frau Mueller"), ("Müller^Anke", "Fr. MULLER"), ("O'Brien^Sean", "OBrien"),
        ("山田^太郎", "患者山田は"), ("Østergård^Bo", "Ostergard"), ("Weiß^Ilse", "Weiss"),
        ("Smith-Jonesby^Al", "Smithjonesby"), ("Stone^Rexford", "Rexford Stone"),
        ("Qu^Ling=曲^玲=", "for Ling"),
        ("Mueller^Anke", "Frau Müller"), ("Mueller^Anke", "Frau Muller"),
        ("Щербаков^Юрий", "for Shcherbakov"), ("Щербаков^Юрий", "Herr Schtscherbakow"),
        ("Жуков^Иван", "M. Joukov"), ("Ξενοφώντος^Νίκος", "Mr. Xenofontos"),
        ("Μπουζούκης^Γιώργος", "Bouzoukis"), ("山田^太郎=やまだぐち^たろう", "for Yamadaguchi"),
        ("ヤマダグチ^タロウ", "Yamadaguchi Taro"), ("Hong^Gildong=洪^吉洞=홍^길동", "길동 님"),
    ],
)  # fmt: skip
def test_transliterations_and_orders_of_a_name_are_found(name: str, text: str) -> None:
    source = factories.chest_cr(rows=8, columns=8, patient=factories.patient(name=name))
    made = clean()
    made.ImageComments = text
    assert refused(encode(made), read_evidence([source])).code == "residual-identifier"


def test_a_name_that_its_attribute_cuts_off_is_found() -> None:
    made = clean()
    made.StudyID = "portal f Qvistor"
    assert refused(encode(made)).detail.startswith("(0020,0010) name")
    made.StudyID = "Qvistor"
    assert verify(encode(made), EVIDENCE, allow=NONE_RETAINED)


def test_ordinary_words_and_vendors_are_no_names() -> None:
    person = factories.patient(name="White^Ray", operator="SIEMENS^SERVICE", reader="Stone^Prof",
                               station="9", study_id="1024", accession="2048")  # fmt: skip
    evidence = read_evidence([factories.chest_cr(rows=8, columns=8, patient=person)])
    made = clean()
    made.Manufacturer = "SIEMENS"
    made.ImageComments = "X-ray 1024 by 2048: no stone, white lung, see Prof. notes"
    assert verify(encode(made), evidence, allow=NONE_RETAINED)
    made.ImageComments = "for Ray White"
    assert refused(encode(made), evidence).code == "residual-identifier"
    made.ImageComments = "none"
    made.StudyID = "1024"
    assert refused(encode(made), evidence).detail == "(0020,0010) code x1"


def test_a_source_uid_is_found_but_class_uids_are_none() -> None:
    made = clean()
    made.FrameOfReferenceUID = SOURCE.StudyInstanceUID
    error = refused(encode(made))
    assert error.code == "residual-uid"
    assert "(0020,0052) uid" in error.detail
    assert verify(encode(made), EVIDENCE, allow=Allowances(uids=True))
    private = factories.private_object()
    made = clean()
    made.SOPClassUID = private.SOPClassUID
    assert verify(encode(made), read_evidence([private]), allow=NONE_RETAINED)


def test_a_source_date_is_found_where_the_shift_does_not_explain_it() -> None:
    made = clean()
    made.StudyDate = PERSON.study_date
    assert refused(encode(made)).code == "residual-date"
    assert refused(encode(made), allow=Allowances(shift_days=-30)).code == "residual-date"
    assert verify(encode(made), EVIDENCE, allow=Allowances(full_dates=True))
    made.StudyDate = PERSON.birth_date
    assert refused(encode(made)).code == "residual-date"


def test_a_shifted_date_that_equals_another_source_date_passes() -> None:
    prior = factories.chest_cr(rows=8, columns=8, patient=factories.patient(study_date="20231116"))
    made = clean()
    made.StudyDate = "20231116"
    made.ImageComments = "compared with 16.11.2023"
    evidence = read_evidence([SOURCE, prior])
    assert verify(encode(made), evidence, allow=Allowances(shift_days=-1))
    assert refused(encode(made), evidence, allow=Allowances(shift_days=-2)).code == "residual-date"


def test_what_the_profile_retains_is_no_leak() -> None:
    made = clean()
    made.InstitutionName, made.StationName = PERSON.institution, PERSON.station
    made.DeviceSerialNumber, made.Occupation = PERSON.device_serial, PERSON.occupation
    assert refused(encode(made)).code == "residual-identifier"
    allow = Allowances(institution=True, device=True, patient_characteristics=True)
    assert verify(encode(made), EVIDENCE, allow=allow)


def test_native_pixel_samples_are_not_searched_and_compressed_ones_are() -> None:
    made = clean()
    raw = bytearray(SOURCE.PixelData)
    raw[100:111] = b" Qvistorpe "
    made.PixelData, made.BitsStored, made.HighBit = bytes(raw), 16, 15
    assert verify(encode(made), EVIDENCE, allow=NONE_RETAINED)
    read = dcmread(io.BytesIO(encode(made)))
    read.PixelData = np.zeros((32, 32), np.uint16).tobytes()
    read.compress("1.2.840.10008.1.2.5")  # RLE Lossless
    read.PixelData = read.PixelData.replace(b"\0\0\0\0\0\0\0\0\0\0\0\0\0\0", b" Qvistorpe   \0", 1)
    buffer = io.BytesIO()
    dcmwrite(buffer, read, enforce_file_format=True)
    assert "(7FE0,0010)" in refused(buffer.getvalue()).detail


def test_evidence_tells_nothing_when_printed_and_travels_between_processes() -> None:
    assert not any(canary in repr(EVIDENCE) for canary in factories.canaries(PERSON))
    assert pickle.loads(pickle.dumps(EVIDENCE)) == EVIDENCE  # noqa: S301
