"""What a source header says of the people and places in it: the certain hits of a report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from pydicom.datadict import dictionary_has_tag, dictionary_VR
from pydicom.dataelem import DataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue
from pydicom.tag import BaseTag

_IDS = frozenset(
    "PatientID OtherPatientIDs AccessionNumber AdmissionID StudyID RequestedProcedureID "
    "IssuerOfPatientID ServiceEpisodeID PlacerOrderNumberImagingServiceRequest "
    "FillerOrderNumberImagingServiceRequest ScheduledProcedureStepID PerformedProcedureStepID "
    "InsurancePlanIdentification PatientInsurancePlanCodeSequence MilitaryRank "
    "RegionOfResidence DeviceSerialNumber DetectorID GantryID CassetteID PlateID DeviceUID".split()
)
_PHONES = frozenset(
    "PatientTelephoneNumbers PersonTelephoneNumbers OrderCallbackPhoneNumber "
    "ReferringPhysicianTelephoneNumbers".split()
)
_ADDRESSES = frozenset(
    "PatientAddress PersonAddress InstitutionAddress ReferringPhysicianAddress "
    "CountryOfResidence CurrentPatientLocation PatientInstitutionResidence".split()
)
_INSTITUTIONS = frozenset(
    "InstitutionName InstitutionalDepartmentName StationName VerifyingOrganization "
    "RequestingService ClinicalTrialSiteName ClinicalTrialSponsorName".split()
)
_NAMES = frozenset({"OtherPatientNames", "ResponsibleOrganization"})
_DATES = frozenset(
    "PatientBirthDate StudyDate SeriesDate AcquisitionDate ContentDate AdmittingDate "
    "ScheduledProcedureStepStartDate PerformedProcedureStepStartDate "
    "PatientBirthDateInAlternativeCalendar LastMenstrualDate IssueDateOfImagingServiceRequest "
    "Date DateTime AcquisitionDateTime VerificationDateTime".split()
)
RETAINED_WITH: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "Retain Device Identity": frozenset(
            "StationName DeviceSerialNumber DetectorID GantryID CassetteID PlateID "
            "DeviceUID".split()
        ),
    }
)
"""Option to the attributes that it retains (PS3.15 Table E.1-1) and that are searched else."""
_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Identity:
    """Identifiers of one study's source headers, as they stand there.

    Attributes
    ----------
    names : tuple of str
        Person names in DICOM form, ``HOLLOWAY^MARGARET^A``.
    ids, phones, addresses, institutions : tuple of str
    dates : tuple of str
        ``YYYYMMDD``.
    """

    names: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    dates: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    institutions: tuple[str, ...] = ()


def read_identity(data_sets: Sequence[Dataset], retained: frozenset[str] = frozenset()) -> Identity:
    """Identifiers of source data sets, from every depth: header, sequences, SR content.

    Parameters
    ----------
    data_sets : sequence of pydicom.Dataset
        All instances of a study, or one of each series. They are not changed.
    retained : frozenset of str
        Keywords of attributes that the profile retains: what stays in the header is no
        identifier in text.

    References
    ----------
    PS3.15 Table E.1-1; PS3.3 C.7.1.1, C.17.2 (Verifying Observer Sequence), C.17.3 (PNAME items).
    """
    found: dict[str, dict[str, None]] = {
        field: {} for field in ("names", "ids", "dates", "phones", "addresses", "institutions")
    }
    for data_set in data_sets:
        for element in _elements(data_set):
            field = _field(element)
            if field and element.keyword not in retained:
                for value in _values(element):
                    if len(found[field]) < _MOST:
                        found[field].setdefault(value[:8] if field == "dates" else value)
    return Identity(**{field: tuple(values) for field, values in found.items()})


def _elements(data_set: Dataset) -> Iterator[DataElement]:
    """All elements at every depth, without recursion; of what cannot be read the bytes."""
    waiting = [data_set]
    while waiting:
        current = waiting.pop()
        for tag in current.keys():  # noqa: SIM118 - a Dataset iterates over values
            if tag.group in {0x7FE0, 0x5400} or tag.element == 0:
                continue
            raw = current.get_item(tag).value  # pydicom decodes in place
            try:
                element = current[tag]
                items = list(element.value or ()) if element.VR == "SQ" else None
            except Exception:  # noqa: BLE001  # pydicom raises what it likes on odd values
                if unread := _as_text(tag, raw):
                    yield unread
                continue
            if items is None:
                yield element
                if _is_replaced(raw, element) and (unread := _as_text(tag, raw)):
                    yield unread
            else:
                waiting.extend(items)


def _is_replaced(raw: object, element: DataElement) -> bool:
    """Whether text holds characters that stand for bytes that its character set has not."""
    is_text = isinstance(raw, bytes) and not raw.isascii() and not isinstance(element.value, bytes)
    return is_text and "\ufffd" in str(element.value)


def _as_text(tag: BaseTag, value: object) -> DataElement | None:
    """An unreadable element by its bytes, if they are text; None if they are not."""
    if not isinstance(value, bytes) or not dictionary_has_tag(tag):
        return None
    text = value.decode("latin-1").replace("\x1b", " ").strip("\0 ")
    vr = "PN" if dictionary_VR(tag) == "PN" else "UT"
    return DataElement(tag, vr, text, already_converted=True) if text.isprintable() else None


def _field(element: DataElement) -> str | None:
    keyword = element.keyword
    if element.VR == "PN" or keyword in _NAMES:
        return "names"
    for field, keywords in (("ids", _IDS), ("phones", _PHONES), ("addresses", _ADDRESSES),
                            ("institutions", _INSTITUTIONS), ("dates", _DATES)):  # fmt: skip
        if keyword in keywords:
            return field
    return None


def _values(element: DataElement) -> Iterator[str]:
    value = element.value
    if value is None or value == "":
        return
    for part in value if isinstance(value, (MultiValue, list)) else [value]:
        text = str(part).strip()
        if text and text.strip("^= "):
            yield text
