"""Patients of the made zone: names in many scripts, with the character set that can hold them."""

from __future__ import annotations

import random
from dataclasses import dataclass

UTF8 = "ISO_IR 192"
_LATIN = """Müller^Jörg Ångström^Anders Núñez^José^María Dvořák^Antonín Sørensen^Åse Škoda^Žofie
Łukasiewicz^Jan O'Brien^Seán Gómez-Peña^Inés Üçüncü^Ömer Muller^Jorg MUELLER^JOERG
Besançon^Zoë^^Dr. Nguyễn^Văn^An Ōe^Kenzaburō Smith^John Smith^Joan Smith^Johanna
Smythe^John de^la^Cruz van^der^Berg""".split()
_IDEOGRAPHIC = (
    ("Yamada^Tarou=山田^太郎=やまだ^たろう", ("", "ISO 2022 IR 87")),
    ("Suzuki^Hanako=鈴木^花子=すずき^はなこ", ("", "ISO 2022 IR 87")),
    ("Hong^Gildong=洪^吉洞=홍^길동", ("", "ISO 2022 IR 149")),
    ("Wang^XiaoDong=王^小东", "GB18030"),
    ("Wang^XiaoDong=王^小東", UTF8),
    ("=李^明", UTF8),
    ("Lǐ^Míng=李^明", UTF8),
)


@dataclass(frozen=True)
class Person:
    """A patient of the zone."""

    patient_id: str
    name: str
    charset: str | tuple[str, ...] | None
    birth_date: str
    sex: str
    comments: str
    other_ids: tuple[str, ...]


def make_person(number: int, project: str, random_: random.Random) -> Person:
    """Patient number `number` of a project; some have hardly any attributes."""
    name, charset = _name(number, project, random_)
    return Person(
        patient_id=f"{project}-{number:04d}{random_.choice('ABCDEFGHJK')}",
        name=name,
        charset=charset,
        birth_date=random_.choice(["", f"{random_.randint(1925, 2015)}0{random_.randint(1, 9)}17"]),
        sex=random_.choice(["M", "F", "O", ""]),
        comments=random_.choice(["", "", "Lot* 7?", "control group", "Control group, arm 2"]),
        other_ids=tuple(f"X{number}{letter}" for letter in "AB"[: random_.randint(0, 2)]),
    )


def other_name(random_: random.Random) -> str:
    """Someone of the staff, in Latin letters."""
    return random_.choice(_LATIN)


def _name(
    number: int, project: str, random_: random.Random
) -> tuple[str, str | tuple[str, ...] | None]:
    kind = number % 8
    if kind < 3:
        return f"{project.upper()}-{number:05d}", None
    if kind == 3:
        name, charset = _IDEOGRAPHIC[number // 8 % len(_IDEOGRAPHIC)]
        return name, charset
    if kind == 4 and number % 16 == 4:
        return "", None
    name = random_.choice(_LATIN)
    if name.isascii():
        return name, random_.choice([None, UTF8])
    try:
        name.encode("latin-1")
    except UnicodeEncodeError:
        return name, UTF8
    return name, random_.choice(["ISO_IR 100", UTF8])
