# ruff: noqa: E501 - a template is easier to read unbroken
"""Radiology reports of our own making, with slots for identifiers of every category.

A slot is ``{category}`` or ``{category:form}``. People, places and numbers are invented or
drawn from lists of common names; the names for tuning and for testing are disjoint.
"""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import lru_cache

from updp_node.text.scrub import Scrubber, load_scrubber

TUNING_NAMES = (
    ("Margaret", "Holloway"), ("Thomas", "Okonkwo"), ("Priya", "Raghunathan"), ("Luis", "Ferreira"),
    ("Young-Ho", "Baek"), ("Karen", "Black"), ("Peter", "Hill"), ("Aoife", "Brennan"),
)  # fmt: skip
TEST_NAMES = (
    ("Dorothy", "Castellano"), ("Emeka", "Adeyemi"), ("Sunita", "Venkataraman"), ("Jorge", "Villanueva"),
    ("Min-Jung", "Seo"), ("Linda", "Stone"), ("Walter", "Young"), ("Siobhan", "Gallagher"),
    ("Rachel", "Greenbaum"), ("William", "Osterhout"), ("Fatima", "Al-Rashid"), ("Hans", "Vandermeer"),
    ("Natasha", "Kuznetsova"), ("Hiroshi", "Yamamoto"), ("Joseph", "Baker"), ("Ngozi", "Eze"),
)  # fmt: skip

TEMPLATES = (
    "Patient: {NAME:last-first}\nMRN: {ID}\nDOB: {DATE:birth}\nEXAM: Chest PA and lateral, {DATE}\n"
    "FINDINGS: Heart size is normal. No Kerley B lines. No pneumothorax or pleural effusion.\n"
    "IMPRESSION: No acute cardiopulmonary disease.\nDictated by: {NAME:degree}\n{NAME:initials}\n",
    "CHEST RADIOGRAPH {DATE} {TIME}\nAcc #: {ID}\nComparison: {DATE:month-year}.\nSwan-Ganz catheter tip in the main "
    "pulmonary artery. Mild cardiomegaly. Findings discussed with {NAME:title} at {TIME} on {DATE:partial} by telephone.\n"
    "Electronically signed by {NAME:degree} on {DATE} {TIME}\n",
    "{NAME:plain} is a {AGE}-year-old woman transferred from {INSTITUTION}. Two views of the chest show a right apical "
    "Pancoast tumor with rib destruction. T9 compression fracture. {NAME:last} tolerated the examination well.\n"
    "Referring physician: {NAME:title}\ncc: {NAME:degree}; {NAME:title}\nPager {PHONE:pager}\n",
    "INDICATION: Cough. Patient lives at {ADDRESS} in {LOCATION}. Call back {PHONE}.\nFINDINGS: Patchy opacity in the left "
    "lower lobe. Hampton hump is not seen. Fleischner criteria apply.\nIMPRESSION: Left lower lobe pneumonia.\n"
    "Technologist: {NAME:plain}\nFax: {PHONE}\n",
    "RE: {NAME:last-first-upper}   ID {ID}   {DATE:iso}\nCT CHEST WITH CONTRAST. 80 mL Omnipaque 350. COMPARISON: {DATE}.\n"
    "Ghon complex in the right upper lobe. A 5 mm nodule on image 45 of series 3. Images sent to {INSTITUTION}.\n"
    "Reviewed with {NAME:title}. E-mail {EMAIL}. See {URL}.\n",
    "portable chest. {NAME:lower} was seen in the icu. dr {NAME:last-lower} notified at {TIME}. ett tip 4 cm above the carina. "
    "bibasilar atelectasis. no change since {DATE}.\n",
    "Medical record number {ID}, accession {ID}. The pacemaker, serial number {DEVICE}, projects over the left chest. Leads "
    "in the right atrium and right ventricle. Read by {NAME:plain}, M.D. Transcribed by {NAME:initials} {DATE} {TIME}\n",
    "History: {AGE} y/o male, Mr. {NAME:last}, with Hodgkin lymphoma. Hickman catheter in place. Prior exam performed at "
    "{INSTITUTION} on {DATE:long}. Contact number {PHONE}.\nDr. {NAME:last} was paged at {PHONE:pager}.\n",
    "Wet read by {NAME:plain} ({PHONE}). Rib fractures 4-7 on the left. Cobb angle 32 degrees. Harrington rods. "
    "{NAME:last-first} was sent to the emergency department. Order # {ID}. S/N {DEVICE}.\n",
    "Comparison was made to {DATE} and {DATE}. [** Hospital 42 **] film of {DATE}. Findings: tortuous aorta, calcified "
    "granuloma in the lingula. Patient name ____ removed earlier. Ordering provider: {NAME:degree}\nAttending: {NAME:title}\n",
    "{INSTITUTION}\n{ADDRESS}\n{LOCATION:state}\nTel {PHONE}\n\nName: {NAME:plain}\nDate of birth: {DATE:birth}\nVisit: {ID}\n\n"
    "Mammogram, BI-RADS 2. Scattered fibroglandular densities. Wife of {NAME:plain}.\n",
    "Impression: 1. Moderate left pleural effusion. 2. Cardiomegaly. Results were called to nurse {NAME:plain} by "
    "{NAME:title} at {TIME} on {DATE}. Ordering physician, {NAME:title}, acknowledged. Case number {ID}.\n",
    "The patient, a {AGE}-year-old resident of {LOCATION}, was brought from {INSTITUTION}. Severe kyphosis, L1 and L4-L5 "
    "degenerative change. Bochdalek hernia. Please see {URL} or write to {EMAIL}.\n",
    "ADDENDUM {DATE:long} {TIME}: After discussion with {NAME:plain}, the T12-L1 disc is described as normal. Baker cyst "
    "stands unchanged. {NAME:degree}\n",
    "Patient ID: {ID}\nOrdered by: {NAME:plain}\nPerforming technologist: {NAME:last-first}\nPreliminary report by "
    "{NAME:title}. Foley catheter. Dobbhoff tube coiled in the stomach. SSN {ID:ssn}.\n",
    "XR CHEST 1 VIEW\n{NAME:last-first-upper}\n{DATE} {TIME}\nLines and tubes unchanged. Chilaiditi sign. "
    "Westermark sign absent. Signed: {NAME:degree}\n",
    "Dear {NAME:title}, thank you for referring {NAME:plain}, born {DATE:birth}, whom we saw on {DATE:long}. The chest film shows "
    "emphysema and a Schmorl node at T11. Yours sincerely, {NAME:plain}, MD\n{INSTITUTION}, {LOCATION:state}\n",
    "Station {DEVICE}. Host {URL:ip}. Study {ID}. Exposure 120 kVp, 3.2 mAs. AP and lateral views. Lungs clear. Dictated "
    "{DATE} at {TIME} by {NAME:title} and {NAME:degree}.\n",
    "EXAM DATE: {DATE:iso}. REASON: fall at home, {ADDRESS}. Colles fracture of the right wrist, Salter-Harris "
    "II. Next of kin: {NAME:plain}, {PHONE}.\n",
    "Chest CT of {DATE:dashed} compared with {DATE:long}. The 8 mm nodule (series 4, image 112) in the right upper lobe is stable. "
    "Policy number {ID}. Discussed with {NAME:plain} and {NAME:title}.\n",
)  # fmt: skip


@lru_cache(maxsize=1)
def shared_scrubber() -> Scrubber:
    """One scrubber for all text tests of a process."""
    return load_scrubber()


_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_PLACES = (
    "Spokane",
    "Chattanooga",
    "Sheboygan",
    "Tuscaloosa",
    "Albuquerque",
    "Poughkeepsie",
    "Springfield",
)
_HOUSES = ("St. Mary's Hospital", "Marlowe General Hospital", "Lakeview Medical Center", "Kettering Imaging Center",
           "Hospital of the University of Ohio", "Mount Sinai Medical Center", "Saint Brigid's Infirmary")  # fmt: skip


@dataclass(frozen=True)
class Filled:
    """A report with its gold spans: start, end, category, form."""

    text: str
    spans: tuple[tuple[int, int, str, str], ...]


def _name(form: str, rng: random.Random, names: tuple[tuple[str, str], ...]) -> str:
    first, last = rng.choice(names)
    initial = rng.choice("ABCDEGHJKLMRST")
    forms = {
        "last-first": [f"{last}, {first}", f"{last}, {first} {initial}."],
        "last-first-upper": [f"{last}, {first} {initial}.".upper(), f"{last}, {first}".upper()],
        "plain": [f"{first} {last}", f"{first} {initial}. {last}"], "lower": [f"{first} {last}".lower()],
        "last": [last], "last-lower": [last.lower()],
        "title": [f"Dr. {last}", f"Dr. {first} {last}", f"Dr {last}", f"Doctor {last}", f"Dr. {initial}. {last}"],
        "degree": [f"{first} {last}, MD", f"{first} {initial}. {last}, M.D.", f"{last}, {first}, MD"],
        "initials": [f"{rng.choice('ABDL')}{rng.choice('MKE')}{rng.choice('TSW')}/{rng.choice(['jb', 'kr', 'tw'])}"],
    }  # fmt: skip
    return rng.choice(forms[form or "plain"])


def _date(form: str, rng: random.Random) -> str:
    year, month, day = rng.randint(1998, 2024), rng.randint(1, 12), rng.randint(1, 28)
    name = _MONTHS[month - 1]
    forms = {
        "": [f"{month}/{day}/{year}", f"{month:02d}/{day:02d}/{year % 100:02d}", f"{year}-{month:02d}-{day:02d}",
             f"{day}-{name[:3].upper()}-{year}", f"{name} {day}, {year}", f"{month}-{day}-{year % 100:02d}"],
        "birth": [f"{month:02d}/{day:02d}/{year - 50}", f"{day} {name} {year - 50}"], "partial": [f"{month}/{day}"],
        "iso": [f"{year}-{month:02d}-{day:02d}", f"{year}{month:02d}{day:02d}"], "month-year": [f"{name} {year}"],
        "long": [f"{name} {day}, {year}", f"{day} {name[:3]} {year}", f"the {day}th of {name} {year}", f"{name} {day}"],
        "dashed": [f"{day:02d}-{name[:3]}-{year}", f"{day}.{month}.{year}"],
    }  # fmt: skip
    return rng.choice(forms[form])


def _other(category: str, form: str, rng: random.Random) -> str:
    def digits(count: int) -> str:
        return str(rng.randint(1, 9)) + "".join(rng.choice("0123456789") for _ in range(count - 1))

    house = f"{rng.randint(10, 9999)} {rng.choice(['Old Kettle', 'Maple', 'N. Harbor', 'Elm Ridge', '42nd'])}"
    choices = {
        "ID": [f"RAD-{rng.randint(2010, 2025)}-{digits(7)}", f"ZX{digits(5)}Q", digits(8), digits(7), f"A{digits(9)}",
               f"{digits(3)}-{digits(2)}-{digits(4)}" if form == "ssn" else f"E{digits(6)}"],
        "TIME": [f"{rng.randint(1, 12)}:{rng.randint(10, 59)} {rng.choice(['AM', 'pm', 'p.m.'])}",
                 f"{rng.randint(10, 23)}:{rng.randint(10, 59)}", f"{rng.randint(10, 23)}{rng.randint(10, 59)} hours"],
        "AGE": [str(rng.randint(90, 104))],
        "PHONE": [digits(5)] if form == "pager" else [
            f"({digits(3)}) 555-{digits(4)}", f"{digits(3)}-555-{digits(4)}", f"{digits(3)}.555.{digits(4)}",
            f"+1 {digits(3)} 555 {digits(4)}", f"555-{digits(4)}"],
        "EMAIL": ["j.doe@mercy.example.org", "radiology_desk@hospital.net", "K.Lee99@example.com"],
        "URL": [f"10.{rng.randint(1, 250)}.4.{rng.randint(1, 250)}"] if form == "ip" else [
            "https://pacs.example.org/v?id=88", "www.mychart.example.com/u/7", "http://10.2.3.4/x"],
        "ADDRESS": [f"{house} Road", f"{house} Street, Apt 4B", f"{house} Ave"],
        "LOCATION": [f"{rng.choice(_PLACES)}, {rng.choice(['OH', 'TX', 'WA 99201'])}"] if form == "state" else list(_PLACES),
        "INSTITUTION": list(_HOUSES),
        "DEVICE": [f"SN-CG5-{digits(6)}X", f"PJN{digits(6)}", f"DX{digits(3)}-{digits(4)}"],
    }  # fmt: skip
    return rng.choice(choices[category])


def fill(template: str, rng: random.Random, names: tuple[tuple[str, str], ...]) -> Filled:
    """Fill every slot and remember where."""
    parts: list[str] = []
    spans = []
    done = length = 0
    for match in re.finditer(r"\{([A-Z]+)(?::([a-z-]+))?\}", template):
        plain = template[done : match.start()]
        category, form = match[1], match[2] or ""
        value = (_name(form, rng, names) if category == "NAME" else _date(form, rng) if category == "DATE"
                 else _other(category, form, rng))  # fmt: skip
        parts += [plain, value]
        length += len(plain)
        spans.append((length, length + len(value), category, form))
        length += len(value)
        done = match.end()
    return Filled("".join([*parts, template[done:]]), tuple(spans))
