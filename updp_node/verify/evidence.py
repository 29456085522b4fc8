"""What must not leave: the identifiers of the sources, read by the gate itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date

from pydicom import Dataset
from pydicom.dataelem import DataElement

from updp_node.errors import InstanceError
from updp_node.verify.words import ORDINARY, PLACEHOLDERS, find_dates, join_code, split_words

_CODES = frozenset(
    """PatientID OtherPatientIDs AccessionNumber StudyID AdmissionID ServiceEpisodeID
    IssuerOfPatientID
    FillerOrderNumberImagingServiceRequest PlacerOrderNumberImagingServiceRequest
    RequestedProcedureID ScheduledProcedureStepID PerformedProcedureStepID MilitaryRank
    MedicalRecordLocator SpecimenIdentifier ContainerIdentifier InsurancePlanIdentification
    PatientTelephoneNumbers OrderCallbackPhoneNumber PersonTelephoneNumbers
    ReferringPhysicianTelephoneNumbers ResponsiblePersonTelephoneNumbers""".split()
)
_DEVICES = frozenset(
    """DeviceSerialNumber DetectorID GantryID PlateID CassetteID StationName ScheduledStationName
    PerformedStationName""".split()
)
_PHRASES = frozenset(
    """InstitutionName InstitutionAddress InstitutionalDepartmentName PatientAddress
    ReferringPhysicianAddress PersonAddress
    PatientTelecomInformation PersonTelecomInformation RequestingService CurrentPatientLocation
    PatientInstitutionResidence""".split()
)
_TRAITS = frozenset(
    """RegionOfResidence CountryOfResidence MilitaryRank Occupation
    PatientReligiousPreference""".split()
)
_TEXT_VRS = frozenset({"LO", "LT", "SH", "ST", "UC", "UT"})
_STANDARD_UIDS = "1.2.840.10008."
MIN_NAME, MIN_CODE, MIN_PHRASE_WORD = 3, 4, 4


@dataclass(frozen=True, slots=True)
class Allowances:
    """What the profile retains, so that it is no leak.

    Attributes
    ----------
    uids, full_dates, institution, device, patient_characteristics : bool
        The option of that name is on.
    shift_days : int or None
        By how many days every date was moved; None where dates are removed.
    """

    uids: bool = False
    full_dates: bool = False
    institution: bool = False
    device: bool = False
    patient_characteristics: bool = False
    shift_days: int | None = None


@dataclass(frozen=True, slots=True, repr=False)
class Evidence:
    """Identifiers of the sources; never printed.

    Attributes
    ----------
    names : frozenset of str
        Folded words of person names, three letters and longer.
    persons : frozenset of tuple of str
        The words of each whole name.
    codes : frozenset of str
        Numbers without separators, four characters and longer.
    devices : frozenset of str
        Serial numbers, detectors, stations, written like `codes`.
    phrases : frozenset of tuple of str
        Words of institutions, addresses, departments.
    traits : frozenset of tuple of str
        Words of occupation, rank, creed and residence.
    dates : frozenset of date
        Every full date, of attributes and of text.
    birth_dates : frozenset of date
    values : frozenset of (int, str)
        Tag and value of every DA and DT attribute at the top level.
    uids : frozenset of str
    """

    names: frozenset[str] = field(default_factory=frozenset)
    persons: frozenset[tuple[str, ...]] = field(default_factory=frozenset)
    codes: frozenset[str] = field(default_factory=frozenset)
    devices: frozenset[str] = field(default_factory=frozenset)
    phrases: frozenset[tuple[str, ...]] = field(default_factory=frozenset)
    traits: frozenset[tuple[str, ...]] = field(default_factory=frozenset)
    dates: frozenset[date] = field(default_factory=frozenset)
    birth_dates: frozenset[date] = field(default_factory=frozenset)
    values: frozenset[tuple[int, str]] = field(default_factory=frozenset)
    uids: frozenset[str] = field(default_factory=frozenset)

    def numbers(self, allow: Allowances) -> frozenset[str]:
        """The codes that must not leave."""
        return self.codes if allow.device else self.codes | self.devices

    def places(self, allow: Allowances) -> frozenset[tuple[str, ...]]:
        """The phrases that must not leave."""
        kept = self.phrases if not allow.institution else frozenset()
        return kept if allow.patient_characteristics else kept | self.traits

    def __repr__(self) -> str:
        return f"Evidence({len(self.names)} names, {len(self.codes)} codes)"


def walk(data_set: Dataset) -> Iterator[tuple[DataElement, str]]:
    """Every element at every depth with its path, sequences aside; iterative.

    Raises
    ------
    InstanceError
        ``unreadable-attribute``: pydicom cannot make a value of it.
    """
    stack: list[tuple[Dataset, str]] = [(data_set, "")]
    while stack:
        current, prefix = stack.pop()
        for tag in current.keys():  # noqa: SIM118  # iterating would decode each element
            path = f"{prefix}({tag >> 16:04X},{tag & 0xFFFF:04X})"
            try:
                element = current[tag]
            except Exception:  # noqa: BLE001  # pydicom raises what it likes on odd values
                raise InstanceError("unreadable-attribute", path) from None
            if element.VR == "SQ":
                items = enumerate(element.value, start=1)
                stack.extend((item, f"{path}[{number}]") for number, item in items)
            else:
                yield element, path


def texts_of(element: DataElement) -> list[str]:
    """The values of an element as text; none for numbers in binary and for bulk data."""
    value = element.value
    if value is None or isinstance(value, (bytes, int, float)):
        return []
    if isinstance(value, str) or not isinstance(value, Iterable):
        return [str(value)]
    return [str(each) for each in value]


class _Gathering:
    """Sets that grow while the sources are walked."""

    def __init__(self) -> None:
        self.persons: set[tuple[str, ...]] = set()
        self.codes: set[str] = set()
        self.devices: set[str] = set()
        self.phrases: set[tuple[str, ...]] = set()
        self.traits: set[tuple[str, ...]] = set()
        self.dates: set[date] = set()
        self.birth_dates: set[date] = set()
        self.values: set[tuple[int, str]] = set()
        self.uids: set[str] = set()

    def add(self, element: DataElement, path: str) -> None:
        """Take what an element tells."""
        for text in texts_of(element):
            if element.VR == "PN":
                self._add_name(text)
            elif element.VR == "UI":
                if text and not text.startswith(_STANDARD_UIDS):
                    self.uids.add(text)
            elif element.VR in {"DA", "DT"}:
                self._add_date(element, path, text)
            else:
                self._add_field(element.keyword, text)
            if element.VR in _TEXT_VRS:
                self.dates.update(find_dates(text))

    def _add_field(self, keyword: str, text: str) -> None:
        if keyword in _CODES:
            self._add_code(text, self.codes)
        elif keyword in _DEVICES:
            self._add_code(text, self.devices)
        elif keyword in _PHRASES:
            self._add_phrase(text, self.phrases)
        elif keyword in _TRAITS:
            self._add_phrase(text, self.traits)

    def _add_name(self, text: str) -> None:
        for group in text.split("="):
            words = tuple(
                word
                for word in split_words(group)
                if word not in PLACEHOLDERS and not word.isdigit()
            )
            if words:
                self.persons.add(words)
        number = "".join(part for part in text.split("^") if part.strip().isdigit())
        self._add_code(number, self.codes)

    def _add_date(self, element: DataElement, path: str, text: str) -> None:
        found = set(find_dates(text[:8]))
        self.dates |= found
        if element.keyword == "PatientBirthDate":
            self.birth_dates |= found
        if found and "[" not in path:
            self.values.add((int(element.tag), text.strip()))

    def _add_code(self, text: str, codes: set[str]) -> None:
        code = join_code(text)
        if len(code) >= MIN_CODE and code not in PLACEHOLDERS and code not in ORDINARY:
            codes.add(code)

    def _add_phrase(self, text: str, phrases: set[tuple[str, ...]]) -> None:
        words = tuple(split_words(text))
        telling = [word for word in words if word not in ORDINARY and word not in PLACEHOLDERS]
        if any(len(word) >= MIN_PHRASE_WORD for word in telling):
            phrases.add(words)


def read_evidence(sources: Sequence[Dataset]) -> Evidence:
    """Read the identifiers of sources, at every depth.

    Parameters
    ----------
    sources : sequence of pydicom.Dataset
        The instance itself and others of its study.

    Raises
    ------
    InstanceError
        ``unreadable-attribute``.
    """
    gathering = _Gathering()
    for source in sources:
        for element, path in walk(source):
            gathering.add(element, path)
    names = {word for words in gathering.persons for word in words if len(word) >= MIN_NAME}
    return Evidence(
        names=frozenset(names),
        persons=frozenset(gathering.persons),
        codes=frozenset(gathering.codes),
        devices=frozenset(gathering.devices),
        phrases=frozenset(gathering.phrases),
        traits=frozenset(gathering.traits),
        dates=frozenset(gathering.dates),
        birth_dates=frozenset(gathering.birth_dates),
        values=frozenset(gathering.values),
        uids=frozenset(gathering.uids),
    )
