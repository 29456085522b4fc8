"""What an entity holds, to ask for it."""

from __future__ import annotations

import random

from pydicom.dataset import Dataset

from tests.oracle_query.canonical import texts
from tests.oracle_query.information import LEVELS, Entity


def plain(entity: Entity, keyword: str) -> str:
    """The first value of an attribute of an entity as text; empty if there is none."""
    values = held(entity, keyword)
    return values[0] if values else ""


def held(entity: Entity, keyword: str) -> list[str]:
    return texts(entity.header[keyword]) if keyword in entity.header else []


def level_number(identifier: Dataset) -> int:
    return LEVELS.index(identifier.QueryRetrieveLevel)


def pick(
    identifier: Dataset, entity: Entity, random_: random.Random, offered: dict[int, list[str]]
) -> tuple[str, str]:
    """A keyword of the level that the entity has a value of, with one of its values."""
    keywords = [word for word in offered[level_number(identifier)] if held(entity, word)]
    if not keywords:
        return "", ""
    keyword = random_.choice(keywords)
    return keyword, random_.choice(held(entity, keyword))
