"""How a counterpart came about, for the eyes of the identified zone.

Shows the source image and scores that look at it: never for the released zone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from updp_node.model import Bound, Prompt
from updp_node.pixels.alignment import Alignment
from updp_node.pixels.optimization import Optimized
from updp_node.pixels.synthesis import Candidate

NOTICE = (
    "For the identified zone only: it shows the patient's image, and scores that were measured "
    "on it."
)
_TILE, _CAPTION, _GAP = 256, 56, 8
_PAPER, _INK = 255, 0


@dataclass(frozen=True, slots=True)
class Explanation:
    """What content optimization and the acceptance tests saw.

    Attributes
    ----------
    prompt : Prompt
        What was drawn.
    bound : Bound
    candidates : tuple of Candidate
        In the order they were drawn; the last one was accepted, if any was.
    likeness : tuple of float
        Cosine of each candidate with the source image. No test uses it.
    optimized : Optimized or None
        None where the rules alone made the prompt.
    drawn : Alignment or None
        Of the prompt that was drawn, which may be coarser than the optimized one.
    """

    prompt: Prompt
    bound: Bound
    candidates: tuple[Candidate, ...]
    likeness: tuple[float, ...] = ()
    optimized: Optimized | None = None
    drawn: Alignment | None = None

    def to_record(self) -> dict[str, Any]:
        """Everything but the pixels, ready for JSON."""
        found = self.optimized
        return {
            "prompt": list(self.prompt.terms),
            "not rendered": list(self.prompt.unrendered),
            "withheld": list(self.prompt.withheld),
            "bits": {**asdict(self.bound), "total": self.bound.total},
            "optimization": None
            if found is None
            else {
                "solver": found.solver,
                "sets scored": found.steps,
                "prompt": list(found.prompt.terms),
                "alignment before": asdict(found.before),
                "alignment after": asdict(found.after),
                "alignment of what was drawn": None if self.drawn is None else asdict(self.drawn),
            },
            "candidates": [self._tell(number, each) for number, each in enumerate(self.candidates)],
        }

    def _tell(self, number: int, candidate: Candidate) -> dict[str, Any]:
        verdict = candidate.verdict
        return {
            "number": number + 1,
            "seed": str(candidate.seed),
            "verdict": verdict.fault or "accepted",
            "alignment with the prompt": verdict.alignment,
            "findings read": dict(verdict.findings),
            "distance to the nearest training image": verdict.nearest,
            "cosine with the source (no test)": (
                self.likeness[number] if number < len(self.likeness) else None
            ),
        }


def draw_sheet(display: NDArray[np.uint8], candidates: Sequence[Candidate]) -> Image.Image:
    """Draw the source beside the candidates and their verdicts.

    Parameters
    ----------
    display : ndarray of uint8, shape (rows, columns)
        The source, MONOCHROME2.
    candidates : sequence of Candidate
    """
    tiles = [(display, "source\nIDENTIFIED ZONE ONLY")]
    tiles += [
        (each.pixels, f"candidate {number}\n{each.verdict.fault or 'accepted'}")
        for number, each in enumerate(candidates, start=1)
    ]
    width = len(tiles) * (_TILE + _GAP) + _GAP
    sheet = Image.new("L", (width, _TILE + _CAPTION + 2 * _GAP), _PAPER)
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(size=16)
    for number, (pixels, caption) in enumerate(tiles):
        left = _GAP + number * (_TILE + _GAP)
        picture = Image.fromarray(pixels)
        picture.thumbnail((_TILE, _TILE), Image.Resampling.BOX)
        sheet.paste(picture, (left, _GAP))
        pen.multiline_text((left, _GAP + _TILE + 4), caption, _INK, font)
    return sheet
