"""docs/evidence.md from evidence.json: the template has the words, the record every number."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

Record = Mapping[str, Any]
_ABSENT: Record = {"value": None, "why": "too few images", "n": 0, "chance": 0.0, "detail": {}}


def write_page(out: Path) -> None:
    """Write ``evidence.md`` beside ``evidence.json``."""
    record = json.loads((out / "evidence.json").read_text(encoding="utf-8"))
    environment = Environment(  # noqa: S701 - Markdown, not HTML
        loader=FileSystemLoader(Path(__file__).parent), undefined=StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    reader = Reader(record)
    page = environment.get_template("page.md.j2").render(
        record=record, value=reader.value, share=reader.share, get=reader.get, gate=reader.gate,
        people=record["populations"], exchanges=("adults", "children"), gain=reader.gain,
        sizes=reader.sizes, gains=reader.count_gains(),
    )  # fmt: skip
    (out / "evidence.md").write_text(page, encoding="utf-8")


class Reader:
    """Figures of a record, as the page says them."""

    def __init__(self, record: Record) -> None:
        self._record = record

    def get(self, population: str, key: str) -> Record:
        """A figure of a population, or of ``cross`` hospitals; absent ones say so."""
        if population == "cross":
            figures: Record = self._record["cross_hospital"]["figures"]
        else:
            figures = self._record["populations"][population]["figures"]
        found: Record = figures.get(key, _ABSENT)
        return found

    def value(self, population: str, key: str, decimals: int = 3) -> str:
        """A number with its interval."""
        return _say(self.get(population, key), decimals, 1.0, "")

    def share(self, population: str, key: str, decimals: int = 1) -> str:
        """A share in per cent with its interval."""
        return _say(self.get(population, key), decimals, 100.0, " %")

    def gate(self, population: str, key: str) -> str:
        """What the release gate says of a figure."""
        verdicts = self._record["populations"][population]["gate"]
        found = next(each for each in verdicts if each["key"] == key)
        return str(found["outcome"])

    def sizes(self, giver: str, taker: str) -> list[int]:
        """Sizes of R_B that were taught."""
        prefix = f"cross-hospital.{giver}.{taker}.difference."
        figures = self._record["cross_hospital"]["figures"]
        found = {int(k[len(prefix) :].split(".")[0]) for k in figures if k.startswith(prefix)}
        return sorted(found)

    def gain(self, giver: str, taker: str, size: int, arm: str) -> str:
        """Paired difference to R_B alone."""
        return self.value("cross", f"cross-hospital.{giver}.{taker}.difference.{size}.macro.{arm}")

    def count_gains(self) -> dict[str, int]:
        """How many differences to R_B alone, of arms with S_A, lie wholly above and below 0."""
        found = [
            figure for key, figure in self._record["cross_hospital"]["figures"].items()
            if ".difference." in key and ".macro." in key and "S_A" in key
            and figure["low"] is not None
        ]  # fmt: skip
        return {
            "all": len(found),
            "above": sum(figure["low"] > 0 for figure in found),
            "below": sum(figure["high"] < 0 for figure in found),
        }


def _say(figure: Record, decimals: int, scale: float, unit: str) -> str:
    if figure["value"] is None:
        return f"not measured: {figure['why']}"
    value, low, high = (
        None if figure[part] is None else f"{figure[part] * scale:.{decimals}f}"
        for part in ("value", "low", "high")
    )
    said = f"{value}{unit}"
    told = said if low is None or high is None else f"{said} ({low} to {high})"
    return told.replace("-", "−")
