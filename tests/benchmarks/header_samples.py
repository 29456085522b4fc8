"""What the header benchmark runs on: one CT, one DX, one SR, written once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydicom import dcmread
from pydicom.data import get_testdata_file
from pydicom.dataset import Dataset

from tests import factories

_ITEMS = 125


def write_samples(folder: Path) -> dict[str, Path]:
    """Write the three files; returns them by name."""
    made = {"CT": _ct(), "DX": factories.chest_dx(rows=2500, columns=2000), "SR": _report()}
    return {
        name: factories.write(dataset, folder / f"{name.lower()}.dcm")
        for name, dataset in made.items()
    }


def _report() -> Dataset:
    """A Basic Text SR of 28 KB: 125 content items, five of them headings."""
    report = factories.text_sr()
    sections = []
    for heading in range(5):
        children = [
            factories.content_item(
                "TEXT", factories.code("121071", "DCM", "Finding"),
                TextValue=f"Lobe {heading}.{number}: no focal consolidation, effusion or nodule. "
                "Unchanged since the last study.",
            )
            for number in range(_ITEMS // 5 - 1)
        ]  # fmt: skip
        sections.append(
            factories.content_item(
                "CONTAINER", factories.code("121070", "DCM", "Findings"),
                ContinuityOfContent="SEPARATE", ContentSequence=children,
            )
        )  # fmt: skip
    report.ContentSequence = sections
    return report


def _ct() -> Dataset:
    """The header of a real CT with its maker's private elements, 512 x 512 of 16 bits."""
    path = get_testdata_file("CT_small.dcm", download=False)
    if not isinstance(path, str):
        raise FileNotFoundError("CT_small.dcm of pydicom")
    image = dcmread(path)
    image.Rows = image.Columns = 512
    values = np.random.default_rng(7).integers(0, 4096, (512, 512), dtype=np.int16)
    image.PixelData = values.tobytes()
    return image
