"""Which attributes identify, as the gate reads the standard for itself.

References
----------
PS3.15 Table E.1-1; PS3.3 C.7.1.1, C.7.2, C.7.3.1, C.7.5.1, Table 10-1.
"""

from __future__ import annotations

PATIENT_CODES = frozenset(
    "PatientID OtherPatientIDs AccessionNumber AdmissionID MedicalRecordLocator".split()
)
CODES = frozenset(
    """StudyID ServiceEpisodeID IssuerOfPatientID IssuerOfAdmissionID
    FillerOrderNumberImagingServiceRequest PlacerOrderNumberImagingServiceRequest
    RequestedProcedureID ScheduledProcedureStepID PerformedProcedureStepID
    SpecimenIdentifier ContainerIdentifier InsurancePlanIdentification SpecimenAccessionNumber
    SlideIdentifier ClinicalTrialSubjectID ClinicalTrialSubjectReadingID ResultsID
    InterpretationID BarcodeValue""".split()
)
DEVICES = frozenset(
    """DeviceSerialNumber DetectorID GantryID PlateID CassetteID GridID StationName
    ScheduledStationName PerformedStationName DeviceID GeneratorID XRaySourceID XRayDetectorID
    SecondaryCaptureDeviceID HardcopyCreationDeviceID LensSerialNumber SourceSerialNumber
    UniqueDeviceIdentifier DeviceAlternateIdentifier StationAETitle ScheduledStationAETitle
    PerformedStationAETitle TreatmentMachineName""".split()
)
PHONES = frozenset(
    """PatientTelephoneNumbers OrderCallbackPhoneNumber PersonTelephoneNumbers
    ReferringPhysicianTelephoneNumbers TelephoneNumberTrial""".split()
)
CONTACTS = frozenset(
    """PatientAddress ReferringPhysicianAddress PersonAddress PatientTelecomInformation
    PersonTelecomInformation PatientInstitutionResidence CurrentPatientLocation
    OrderCallbackTelecomInformation AddressTrial ScheduledPatientInstitutionResidence""".split()
)
PLACES = frozenset(
    """InstitutionName InstitutionAddress InstitutionalDepartmentName RequestingService
    VerifyingOrganization ClinicalTrialSiteName ResponsibleOrganization
    HumanPerformerOrganization ClinicalTrialCoordinatingCenterName""".split()
)
TRAITS = frozenset(
    """RegionOfResidence CountryOfResidence MilitaryRank Occupation
    PatientReligiousPreference""".split()
)
NAMES = frozenset("CameraOwnerName TopicAuthor".split())
"""Names of persons in attributes of another VR than PN."""

VENDOR = frozenset("Manufacturer ManufacturerModelName".split())
TECHNICAL = frozenset(
    """CodingSchemeVersion ContextGroupVersion ContextGroupLocalVersion SoftwareVersions
    Manufacturer ManufacturerModelName DeidentificationMethod""".split()
)
"""Their dates are those of products and of code systems."""

STRUCTURE = frozenset(
    "ValueType RelationshipType ContinuityOfContent GraphicType TemporalRangeType".split()
)
"""Their values are terms of the standard: `ordinary.STRUCTURE_TERMS`."""

CALIBRATIONS = frozenset(
    """DateOfLastCalibration DateTimeOfLastCalibration DateOfLastDetectorCalibration
    DateOfManufacture DateOfInstallation CalibrationDateTime""".split()
)
"""Dates of the device: kept where the device is."""

CLASS_UIDS = frozenset(
    """SOPClassUID ReferencedSOPClassUID MediaStorageSOPClassUID TransferSyntaxUID
    OriginalSpecializedSOPClassUID RelatedGeneralSOPClassUID CodingSchemeUID ContextUID
    MappingResourceUID ReferencedTransferSyntaxUIDInFile EncryptedContentTransferSyntaxUID
    ReferencedSOPClassUIDInFile AvailableTransferSyntaxUID SOPClassesSupported
    AffectedSOPClassUID RequestedSOPClassUID ImplementationClassUID PertinentSOPClassesInSeries
    PertinentSOPClassesInStudy ReferencedRelatedGeneralSOPClassUIDInFile FlowTransferSyntaxUID
    StoredInstanceTransferSyntaxUID""".split()
)
"""UIDs that name a class, a syntax or a code system: the same for every patient."""

DEVICE_UIDS = frozenset("DeviceUID ManufacturerDeviceClassUID".split())
IDENTIFYING = PATIENT_CODES | CODES | DEVICES | PHONES
