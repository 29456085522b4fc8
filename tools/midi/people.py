"""Invented people and places, seeded; frequent names, names that are words, names with accents."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, timedelta

SURNAMES = (
    "Smith Johnson Williams Brown Jones Garcia Miller Davis Rodriguez Martinez Hernandez Lopez "
    "Gonzalez Wilson Anderson Thomas Taylor Moore Jackson Martin Lee Perez Thompson White Harris "
    "Sanchez Clark Ramirez Lewis Robinson Walker Young Allen King Wright Scott Torres Nguyen Hill "
    "Flores Green Adams Nelson Baker Hall Rivera Campbell Mitchell Carter Roberts Gomez Phillips "
    "Evans Turner Diaz Parker Cruz Edwards Collins Reyes Stewart Morris Morales Murphy Cook Rogers "
    "Gutierrez Ortiz Morgan Cooper Peterson Bailey Reed Kelly Howard Ramos Kim Cox Ward Richardson "
    "Watson Brooks Chavez Wood James Bennett Gray Mendoza Ruiz Hughes Price Alvarez Castillo "
    "Sanders Patel Myers Long Ross Foster Jimenez Okonkwo Haddad Kowalczyk Nakamura Thorvaldsen "
    "Vukovic Abernathy Pellegrino Lindqvist Oyelaran Zhang Chowdhury Fitzgerald Montgomery "
    "Papadopoulos Iyer Castellanos Dubois Rasmussen Winterbottom"
).split()
ACCENTED = (
    "Müller",
    "Gómez",
    "Núñez",
    "Søndergaard",
    "Lefèvre",
    "Łukaszewicz",
    "Jürgens",
    "Åkesson",
)
FEMALE = (
    "Mary Patricia Jennifer Linda Elizabeth Barbara Susan Jessica Sarah Karen Lisa Nancy Sandra "
    "Ashley Emily Kimberly Margaret Donna Michelle Carol Amanda Melissa Deborah Stephanie Rebecca "
    "Laura Helen Sharon Cynthia Kathleen Amy Angela Anna Ruth Brenda Pamela Nicole Rosa Fatima "
    "Ingrid Mei Priya Yolanda Guadalupe"
).split()
MALE = (
    "James Robert John Michael David William Richard Joseph Thomas Charles Christopher Daniel "
    "Matthew Anthony Mark Donald Steven Andrew Paul Joshua Kenneth Kevin Brian Timothy Ronald "
    "George Jason Edward Jeffrey Ryan Jacob Nicholas Gary Eric Jonathan Stephen Larry Justin "
    "Hiroshi Mohammed Dmitri Rajesh Alejandro Lars"
).split()
STREETS = (
    "Maple Oakridge Willowbrook Cedar Birchwood Sycamore Magnolia Hawthorne Lakeview Chestnut "
    "Juniper Meadowlark Riverside Highland Bayberry Foxglove"
).split()
TOWNS = (
    ("Springfield", "IL", "62704"), ("Fayetteville", "AR", "72701"), ("Arlington", "VA", "22203"),
    ("Rochester", "MN", "55902"), ("Gainesville", "FL", "32605"), ("Spokane", "WA", "99205"),
    ("Toledo", "OH", "43606"), ("Boise", "ID", "83702"), ("Tucson", "AZ", "85719"),
    ("Macon", "GA", "31204"), ("Duluth", "MN", "55804"), ("Provo", "UT", "84604"),
)  # fmt: skip
INSTITUTIONS = (
    "St. Catherine Medical Center", "Lakeside Regional Hospital", "Mercy General Hospital",
    "Northfield University Hospital", "Blue Ridge Imaging Center", "Harborview Cancer Institute",
    "Pinecrest Community Hospital", "Our Lady of Grace Hospital", "Westbrook Radiology Associates",
    "Kettering Memorial Hospital", "Sunnyside Children's Hospital", "Ashford Clinic",
)  # fmt: skip
DEPARTMENTS = ("Radiology", "Nuclear Medicine", "Diagnostic Imaging", "Neuroradiology", "Oncology")
OCCUPATIONS = ("teacher", "farmer", "electrician", "accountant", "retired", "truck driver")
SUFFIX = ("", "", "", "", "^^^Jr.", "^^Dr.")


@dataclass(frozen=True, slots=True)
class Site:
    """A hospital with its people; several patients share one."""

    institution: str
    address: str
    town: str
    department: str
    radiologist: str
    referrer: str
    technologist: str
    phone: str


@dataclass(frozen=True, slots=True)
class Person:
    """One invented patient; names in DICOM form (PS3.5 6.2.1)."""

    name: str
    mother: str
    patient_id: str
    other_id: str
    birth: date
    sex: str
    age: str
    address: str
    phone: str
    email: str
    ssn: str
    occupation: str
    accession: str
    admission: str
    study_day: date
    site: Site

    @property
    def last(self) -> str:
        """Family name."""
        return self.name.split("^")[0]

    @property
    def first(self) -> str:
        """Given name."""
        return self.name.split("^")[1]


def pick_name(rng: random.Random, *, sex: str = "") -> str:
    """A name in DICOM form."""
    given = {"F": FEMALE, "M": MALE}.get(sex) or rng.choice((FEMALE, MALE))
    family = rng.choice(ACCENTED) if rng.random() < 0.04 else rng.choice(SURNAMES)
    if rng.random() < 0.04:
        family += f"-{rng.choice(SURNAMES)}"
    middle = f"^{rng.choice('ABCDEFGHJKLMNPRSTW')}" if rng.random() < 0.4 else ""
    return f"{family}^{rng.choice(given)}{middle}"


def _phone(rng: random.Random) -> str:
    area, local = rng.randint(201, 989), rng.randint(200, 999)
    return rng.choice(("({0}) {1}-{2:04}", "{0}-{1}-{2:04}")).format(
        area, local, rng.randint(0, 9999)
    )


def make_site(rng: random.Random) -> Site:
    """A hospital of the benchmark."""
    town, state, code = rng.choice(TOWNS)
    street = f"{rng.randint(10, 9800)} {rng.choice(STREETS)} {rng.choice(('Avenue', 'Street'))}"
    return Site(
        rng.choice(INSTITUTIONS), f"{street}, {town}, {state} {code}", town,
        rng.choice(DEPARTMENTS), pick_name(rng), pick_name(rng), pick_name(rng), _phone(rng),
    )  # fmt: skip


def make_person(rng: random.Random, site: Site) -> Person:
    """A patient of a hospital."""
    sex = rng.choice("FM")
    name = pick_name(rng, sex=sex)
    first, last = name.split("^")[1], name.split("^")[0]
    years = rng.choice((2, 9, 34, 45, 51, 58, 63, 67, 72, 78, 84, 88, 93, 97))
    study = date(2005, 1, 1) + timedelta(days=rng.randint(0, 6500))
    birth = study - timedelta(days=int(years * 365.25) + rng.randint(1, 360))
    town, state, code = rng.choice(TOWNS)
    number = rng.randint(100_000, 99_999_999)
    return Person(
        name=name + rng.choice(SUFFIX) if name.count("^") == 1 else name,
        mother=pick_name(rng, sex="F"),
        patient_id=rng.choice(("{0}", "MRN{0}", "{1}-{0}", "{0:08}")).format(
            number, last[:2].upper()
        ),
        other_id=f"{rng.randint(10, 99)}-{rng.randint(10_000, 99_999)}-{rng.randint(100, 999)}",
        birth=birth,
        sex=sex,
        age=f"{years:03}Y",
        address=f"{rng.randint(2, 9900)} {rng.choice(STREETS)} Drive, {town}, {state} {code}",
        phone=_phone(rng),
        email=f"{first}.{last}{rng.randint(1, 99)}@example.com".lower(),
        ssn=f"{rng.randint(100, 899)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
        occupation=rng.choice(OCCUPATIONS),
        accession=rng.choice(("{0}", "A{0}", "RAD-{0}")).format(rng.randint(1_000_000, 99_999_999)),
        admission=f"ADM{rng.randint(10_000, 999_999)}",
        study_day=study,
        site=site,
    )
