"""What the demonstration puts before the eyes: tables, texts, pictures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pydicom
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from pydicom.dataset import Dataset
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from updp_node.demo.study import report_texts
from updp_node.pixels.frames import decode, to_display

_SHOWN = ("PatientName", "PatientID", "PatientBirthDate", "PatientSex", "PatientAge",
          "OtherPatientNames", "PatientAddress", "PatientTelephoneNumbers", "AccessionNumber",
          "StudyID", "ReferringPhysicianName", "OperatorsName", "InstitutionName", "StationName",
          "StudyDate", "StudyTime", "StudyDescription", "SeriesDescription", "Modality",
          "SOPClassUID", "ImageType", "ImageComments", "BurnedInAnnotation",
          "StudyInstanceUID", "SOPInstanceUID", "PatientIdentityRemoved",
          "RecognizableVisualFeatures", "LongitudinalTemporalInformationModified")  # fmt: skip
_HEIGHT = 640
_MARGIN = 16
_CAPTION = 56


def show_attributes(console: Console, before: Dataset, after: Dataset) -> None:
    """A table of attributes as they were sent and as they arrived."""
    table = Table(title=f"Attributes of the {before.get('Modality', '?')}", title_justify="left")
    table.add_column("Attribute")
    table.add_column("sent", style="red", overflow="fold")
    table.add_column("arrived", style="green", overflow="fold")
    for keyword in _SHOWN:
        if keyword in before or keyword in after:
            table.add_row(keyword, _value(before, keyword), _value(after, keyword))
    private = tuple(sum(each.tag.is_private for each in side) for side in (before, after))
    table.add_row("private attributes", str(private[0]), str(private[1]))
    console.print(table)


def show_report(console: Console, before: Dataset, after: Dataset) -> None:
    """A table of the sections of a report as they were sent and as they arrived."""
    sent, arrived = report_texts(before), report_texts(after)
    if not sent:
        return
    table = Table(title="Report", title_justify="left", show_lines=True)
    table.add_column("Section")
    table.add_column("sent", ratio=1, overflow="fold")
    table.add_column("arrived", ratio=1, overflow="fold")
    for index, (heading, text) in enumerate(sent):
        now = arrived[index][1] if index < len(arrived) else ""
        table.add_row(escape(heading), escape(text), escape(now))
    console.print(table)


def show_held(console: Console, reasons: Mapping[tuple[str, str], int]) -> None:
    """A table of what is in quarantine: modality, reason code, count."""
    table = Table(title="Held in quarantine, for review", title_justify="left")
    for heading in ("Modality", "Reason", "Instances"):
        table.add_column(heading)
    for (modality, code), count in sorted(reasons.items()):
        table.add_row(modality, code, str(count))
    console.print(table)


def save_picture(before: Path, after: Path, target: Path) -> None:
    """Save original and counterpart side by side as PNG.

    Raises
    ------
    InstanceError
        One of them cannot be decoded.
    """
    sides = [_picture(path) for path in (before, after)]
    width = sum(side.width for side in sides) + 3 * _MARGIN
    sheet = Image.new("L", (width, _HEIGHT + _CAPTION + _MARGIN), 32)
    pen = ImageDraw.Draw(sheet)
    left = _MARGIN
    for side, caption in zip(sides, ("sent: original", "arrived: counterpart"), strict=True):
        sheet.paste(side, (left, _CAPTION))
        pen.text((left, 14), caption, 255, ImageFont.load_default(size=26))
        left += side.width + _MARGIN
    target.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(target)


def has_picture(instance: Dataset) -> bool:
    """Whether an instance is a single image that can stand in a picture."""
    return "Rows" in instance and "Columns" in instance and "PhotometricInterpretation" in instance


def list_lines(console: Console, title: str, lines: Iterable[str]) -> None:
    """A heading and lines below it."""
    console.print(f"[bold]{title}[/bold]")
    for line in lines:
        console.print(f"  {escape(line)}", soft_wrap=True)


def _picture(path: Path) -> Image.Image:
    instance = pydicom.dcmread(path)
    shown: NDArray[np.uint8] = to_display(instance, decode(instance)[0])
    picture = Image.fromarray(shown)
    scale = _HEIGHT / picture.height
    return picture.resize((max(1, round(picture.width * scale)), _HEIGHT))


def _value(instance: Dataset, keyword: str) -> str:
    if keyword not in instance:
        return "[dim]absent[/dim]"
    element = instance[keyword]
    values: Sequence[object] = element.value if element.VM > 1 else [element.value]
    text = "\\".join(str(getattr(value, "name", value)) for value in values)
    return escape(text) if text else "[dim]empty[/dim]"
