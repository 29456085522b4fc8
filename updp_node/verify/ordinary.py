"""Words that prove nothing: they stand in names, IDs and places, and in every report too."""

from __future__ import annotations

PLACEHOLDERS = frozenset(
    """anonymous anonymized anonymised anon unknown none null test tests testing patient patients
    physician physicians doctor staff operator removed deidentified dummy name names noname
    default user users admin administrator technologist technician radiologist radiographer
    referring not given available xxx xxxx na demo phantom project trial subject service sample
    volunteer unspecified undefined enter text person mrs miss prof phd dipl med jun sen iii facr
    rtr frau herr senhor madame monsieur emergency temp temporary first last middle
    family""".split()
)
"""Words that stand in a name's place and name nobody."""

_VENDORS = """siemens healthineers philips toshiba canon fuji fujifilm agfa kodak carestream
    hologic samsung konica minolta hitachi shimadzu varian elekta accuray general electric gems
    medical systems healthcare imaging dcmtk offis orthanc osirix horos merge acuson atl picker
    marconi elscint sonosite mindray esaote bruker hamamatsu leica olympus zeiss"""
_PARTICLES = (
    "van von der den del della delle dos das des los las ter ten san santa saint bin ibn abu"
)
_PLACES = """hospital hospitals clinic clinics clinical university universities college school
    medicine medical center centre centers health healthcare care institute institution
    department dept division unit units ward wards room rooms floor building campus radiology
    radiologie radiological cardiology oncology neurology surgery surgical internal emergency
    pediatrics pediatric children childrens memorial general regional national county city
    state saint st royal district community foundation research laboratory lab main street
    avenue road lane north south east west central office imaging diagnostic diagnostics
    intensive outpatient inpatient ambulatory station workstation scanner modality
    mammography mammographie angiography orthopedics orthopaedics urology gastroenterology
    pulmonology dermatology gynecology obstetrics ophthalmology dentistry pathology anesthesia
    traumatology neurosurgery nuclear ultrasound endoscopy dialysis trauma theatre theater
    neuroradiology radiotherapy pediatrics paediatrics gynaecology hematology haematology
    anesthesiology section therapy nuklearmedizin chirurgie innere medizin abteilung service
    imagerie krankenhaus
    klinik klinikum universitat universitatsklinikum hopital ospedale"""
_REPORTS = """abdomen abdominal able about above acute adjacent adult advice after again air airway
    all also among and ankle another any aorta apex apical april area arm arms art august
    available axial back band base basal basic bell below berry best better between bilateral
    biopsy bishop black block blood body bone bones both bottom brain branch bright broad brook
    brown burn bush but can cane card care carotid case cases cath cause caution central chance
    change changes chest child church clear clinical clip close code cold cole collar colon color
    common comparison compare complete condition contrast cook copper cord core correct cough
    count cross current cyst daily dark data date day days dean deep degree dense density detail
    device diffuse digital disc disk discharge distal does done dose down drain due during each
    early east edge effusion elbow end enhanced english entire erect even exam examination eye
    face fair false fat feet female fever few field film fine finding findings finger fish five
    flat flow fluid focal foot for forest form forward found four fox fracture frame free french
    from front frontal full gap gas gauge german good grade grant gray great green grey ground
    grow growth guide gun hall hand hands hard hardy has have head heart heel height her high
    hill hip his history hold holder home hour house how identified image images imaging
    impression inch increase inferior initial inner into iodine iron joint joints joy june july
    just kerley keep key kidney king knee knight known lake lamb lane large lateral lead left leg
    length lesion less level light limb limit line lines lip list liver lobe local long loop loss
    love low lower lung lungs main major make male many march mark marker markings marks marsh
    mask mass master match matrix max may mean median medial meet metal method mid middle midline
    mild mill miller min minor minute mode moderate month moon more moss motion mouth much
    multiple name narrow neck need negative nerve new next nine noble nodal node nodes nodule
    none normal north nose note noted notes noble now number old once one only open oral orange
    order other our out outer over page pain pair pale palm park parker part parts pass past peak
    pelvis per perfusion phase pin place plain plan plane plate pleural point pool poor pope port
    portable position positive post power present pressure price prior process protocol proximal
    pulse quality quick radiograph rain rate ratio raw ray reading recent record recommend red
    region regular relative release repeat report reported reports research rest result results
    review rib ribs rice rich right rim ring rise river rock role root rose rot round route row
    rowe rule rush sagittal same sand sand save scale scan scans screen search second section see
    seen self sequence series set seven severe shape sharp she shift short should shoulder show
    shows shunt side sides sign signal signs silver sin single site six size skin skull slice
    slight slim slow small smart smooth snow soft some source south spear spine spleen spot spring
    square stable stage standard star start state status steel stem stent step still stomach stone
    straight stream strong structure stroke study studies sub such suggest summer superior supine
    support surface swift system table take tall target task temple ten test than that the then
    there thick thin third this thorax three through time tin tip tissue toe tone tool top total
    trace track train tree trial tube tumor turn two type under unit upper upright use vein very
    vessel view views vision visit volume wall warm was water waters way week weeks weight well
    west white whole wide width wild will window winter wise with within without wood woods work
    world wrist year years yes young zero zone synthetic generated source model profile list
    secondary capture derived primary original computed tomography radiography magnetic resonance
    ultrasound axial coronal scout localizer localiser helical recon reconstruction"""

_OVERLAYS = """page sector gain persist zoom freq cine live print menu preset probe cardiac vascular
    breast thyroid obstetric penetration resolution harmonic tissue doppler gate sweep depth focus
    auto manual hold store patient exam tech operator window level angle tilt pitch"""

ORDINARY = frozenset(" ".join((_VENDORS, _PARTICLES, _PLACES, _REPORTS, _OVERLAYS)).split())
"""Ordinary, radiological, hospital and vendor words: alone they prove nothing."""

STRUCTURE_TERMS = frozenset(
    """TEXT NUM CODE DATETIME DATE TIME UIDREF PNAME COMPOSITE IMAGE WAVEFORM SCOORD SCOORD3D TCOORD
    CONTAINER TABLE CONTAINS HAS_PROPERTIES HAS_OBS_CONTEXT HAS_ACQ_CONTEXT INFERRED_FROM
    SELECTED_FROM HAS_CONCEPT_MOD SEPARATE CONTINUOUS POINT MULTIPOINT POLYLINE CIRCLE ELLIPSE
    POLYGON ELLIPSOID SEGMENT MULTISEGMENT BEGIN END""".replace("_", " ").split()
)
"""Terms of content items (PS3.3 C.17.3): a report has them all, and some are names too."""
