"""The levels of the Query/Retrieve information models, and the attributes of each.

References
----------
PS3.4 C.6.1.1 and C.6.2.1: attributes and levels of the Patient Root and the Study Root.
PS3.3 A.1.2: which information entity a module belongs to.
"""

from __future__ import annotations

from enum import IntEnum, StrEnum

from pydicom.datadict import tag_for_keyword


class Level(IntEnum):
    """Query/Retrieve Level, from the top."""

    PATIENT = 0
    STUDY = 1
    SERIES = 2
    IMAGE = 3


class Model(StrEnum):
    """Root of a Query/Retrieve information model."""

    PATIENT_ROOT = "patient"
    STUDY_ROOT = "study"


def tag_of(keyword: str) -> int:
    """The tag of a keyword of the dictionary."""
    tag = tag_for_keyword(keyword)
    if tag is None:
        raise ValueError(f"no attribute {keyword}")
    return int(tag)


UNIQUE = {
    Level.PATIENT: tag_of("PatientID"),
    Level.STUDY: tag_of("StudyInstanceUID"),
    Level.SERIES: tag_of("SeriesInstanceUID"),
    Level.IMAGE: tag_of("SOPInstanceUID"),
}
"""The unique key of each level."""

REQUIRED = frozenset(
    tag_of(keyword)
    for keyword in (
        "PatientName", "PatientID", "StudyDate", "StudyTime", "AccessionNumber", "StudyID",
        "StudyInstanceUID", "Modality", "SeriesNumber", "SeriesInstanceUID", "InstanceNumber",
        "SOPInstanceUID",
    )
)  # fmt: skip
"""Required and unique keys (PS3.4 C.6.1.1 and C.6.2.1): where an entity has no value of one, every
value matches (C.2.2.1.2)."""

_PATIENT = """
PatientName PatientID IssuerOfPatientID TypeOfPatientID IssuerOfPatientIDQualifiersSequence
PatientBirthDate PatientBirthTime PatientSex QualityControlSubject ReferencedPatientSequence
OtherPatientIDs OtherPatientIDsSequence OtherPatientNames EthnicGroup EthnicGroupCodeSequence
PatientComments PatientSpeciesDescription PatientSpeciesCodeSequence PatientBreedDescription
PatientBreedCodeSequence ResponsiblePerson ResponsiblePersonRole ResponsibleOrganization
PatientIdentityRemoved DeidentificationMethod DeidentificationMethodCodeSequence
ClinicalTrialSponsorName ClinicalTrialProtocolID ClinicalTrialProtocolName ClinicalTrialSiteID
ClinicalTrialSiteName ClinicalTrialSubjectID ClinicalTrialSubjectReadingID
ClinicalTrialProtocolEthicsCommitteeName ClinicalTrialProtocolEthicsCommitteeApprovalNumber
NumberOfPatientRelatedStudies NumberOfPatientRelatedSeries NumberOfPatientRelatedInstances
"""
_STUDY = """
StudyInstanceUID StudyDate StudyTime AccessionNumber IssuerOfAccessionNumberSequence StudyID
StudyDescription ReferringPhysicianName ReferringPhysicianIdentificationSequence
ConsultingPhysicianName ConsultingPhysicianIdentificationSequence PhysiciansOfRecord
PhysiciansOfRecordIdentificationSequence NameOfPhysiciansReadingStudy
PhysiciansReadingStudyIdentificationSequence RequestingServiceCodeSequence
ReferencedStudySequence ProcedureCodeSequence ReasonForPerformedProcedureCodeSequence
AdmittingDiagnosesDescription AdmittingDiagnosesCodeSequence PatientAge PatientSize PatientWeight
PatientBodyMassIndex PatientSizeCodeSequence MeasuredAPDimension MeasuredLateralDimension
MedicalAlerts Allergies SmokingStatus PregnancyStatus LastMenstrualDate PatientState Occupation
AdditionalPatientHistory AdmissionID IssuerOfAdmissionIDSequence ServiceEpisodeID
ServiceEpisodeDescription IssuerOfServiceEpisodeIDSequence PatientSexNeutered ReasonForVisit
ReasonForVisitCodeSequence ClinicalTrialTimePointID ClinicalTrialTimePointDescription
LongitudinalTemporalOffsetFromEvent LongitudinalTemporalEventType
ConsentForClinicalTrialUseSequence ModalitiesInStudy SOPClassesInStudy
AnatomicRegionsInStudyCodeSequence NumberOfStudyRelatedSeries NumberOfStudyRelatedInstances
"""
_SERIES = """
Modality SeriesInstanceUID SeriesNumber Laterality SeriesDate SeriesTime SeriesDescription
SeriesDescriptionCodeSequence PerformingPhysicianName PerformingPhysicianIdentificationSequence
ProtocolName OperatorsName OperatorIdentificationSequence ReferencedPerformedProcedureStepSequence
RelatedSeriesSequence BodyPartExamined PatientPosition SmallestPixelValueInSeries
LargestPixelValueInSeries RequestAttributesSequence PerformedProcedureStepID
PerformedProcedureStepStartDate PerformedProcedureStepStartTime PerformedProcedureStepEndDate
PerformedProcedureStepEndTime PerformedProcedureStepDescription PerformedProtocolCodeSequence
CommentsOnThePerformedProcedureStep AnatomicalOrientationType TreatmentSessionUID Manufacturer
InstitutionName InstitutionAddress StationName InstitutionalDepartmentName
InstitutionalDepartmentTypeCodeSequence ManufacturerModelName DeviceSerialNumber SoftwareVersions
DateOfLastCalibration TimeOfLastCalibration FrameOfReferenceUID PositionReferenceIndicator
PresentationIntentType ClinicalTrialCoordinatingCenterName ClinicalTrialSeriesID
ClinicalTrialSeriesDescription NumberOfSeriesRelatedInstances
"""

_LEVELS = {
    tag_of(keyword): level
    for level, keywords in (
        (Level.PATIENT, _PATIENT), (Level.STUDY, _STUDY), (Level.SERIES, _SERIES)
    )
    for keyword in keywords.split()
}  # fmt: skip

COMPUTED = frozenset(
    tag_of(keyword)
    for keyword in (
        "NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries",
        "NumberOfPatientRelatedInstances", "NumberOfStudyRelatedSeries",
        "NumberOfStudyRelatedInstances", "NumberOfSeriesRelatedInstances", "ModalitiesInStudy",
        "SOPClassesInStudy",
    )
)  # fmt: skip
"""Attributes that no object holds: counted over the entities below (PS3.4 C.3.4)."""

PROTOCOL = frozenset(
    tag_of(keyword)
    for keyword in (
        "SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle", "InstanceAvailability",
        "TimezoneOffsetFromUTC", "RetrieveURL",
    )
)  # fmt: skip
"""Attributes of an identifier that speak of the query or its answer, not of an object."""


def level_of(tag: int) -> Level:
    """The level whose entities hold an attribute; what no higher level holds is of instances."""
    return _LEVELS.get(tag, Level.IMAGE)


def top_of(model: Model) -> Level:
    """The highest level of an information model."""
    return Level.PATIENT if model is Model.PATIENT_ROOT else Level.STUDY
