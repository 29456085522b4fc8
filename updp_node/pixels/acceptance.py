"""Acceptance of a candidate: every test looks at the prompt and the model, none at the source.

So which candidate is taken tells nothing of the patient, and the choice costs no bits. A test
that looked at the source would have to be counted (`updp_node.model.Bound.choice`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updp_node.model import Prompt
from updp_node.pixels.detectors import describe, looks_frontal_chest
from updp_node.pixels.joint import JointEncoder
from updp_node.pixels.vocabulary import NO_FINDING
from updp_node.pixels.weights import DEFAULT_FOLDER, load_default_arrays, read_manifest

_CODES = "codes.safetensors"
_FLATTEST = 8.0
_HARD_STEP = 100  # grey levels from one pixel to the next, both ways together
_HARD_STEPS = 24
DEFAULT_MODEL = "default"

Pixels = NDArray[np.uint8]
Measure = Callable[[Pixels, Prompt], float | None]


@dataclass(frozen=True, slots=True)
class Floors:
    """Limits of the tests, as the manifest of the model has them; absent ones test nothing.

    Attributes
    ----------
    alignment : Mapping[str, float]
        Band to the least cosine between a candidate and its prompt.
    present, absent : Mapping[str, float]
        ``band/finding`` to the least probability of a finding that the prompt holds, and to
        the greatest of one that it denies.
    """

    alignment: Mapping[str, float] = field(default_factory=dict)
    present: Mapping[str, float] = field(default_factory=dict)
    absent: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def read(cls, manifest: Mapping[str, Any]) -> Floors:
        """Read ``acceptance.floors`` of a manifest."""
        section = manifest.get("acceptance", {}).get("floors", {})
        return cls(*(dict(section.get(name, {})) for name in ("alignment", "present", "absent")))


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the tests say of one candidate.

    Attributes
    ----------
    fault : str or None
        ``blank``, ``not-frontal-chest``, ``finding-disagrees``, ``poorly-aligned``,
        ``near-copy``, ``readable-text``; None when it is accepted.
    alignment : float or None
        Cosine with the prompt.
    findings : Mapping[str, float]
        Probabilities of the finding heads.
    nearest : float or None
        Distance to the nearest training image.
    """

    fault: str | None
    alignment: float | None = None
    findings: Mapping[str, float] = field(default_factory=dict)
    nearest: float | None = None


@dataclass(frozen=True, slots=True)
class Examiner:
    """Judges candidates of one generator.

    Attributes
    ----------
    model : str
        Name of the generator; the training codes at hand are those of ``default``.
    encoder : JointEncoder or None
        Reads findings and alignment; without one those two tests are not made.
    floors : Floors
    band_findings : Mapping[str, tuple of str]
        Population band to the findings that are rendered for it.
    """

    model: str = DEFAULT_MODEL
    encoder: JointEncoder | None = None
    floors: Floors = Floors()
    band_findings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def judge(self, pixels: Pixels, prompt: Prompt) -> Verdict:
        """Judge a candidate; cheap tests first, the first fault decides.

        Parameters
        ----------
        pixels : ndarray of uint8, shape (rows, columns)
        prompt : Prompt
        """
        if float(pixels.std()) < _FLATTEST:
            return Verdict("blank")
        if not looks_frontal_chest(pixels):
            return Verdict("not-frontal-chest")
        nearest = measure_nearest(pixels, prompt) if self.model == DEFAULT_MODEL else None
        alignment = self._align(pixels, prompt)
        findings = {} if self.encoder is None else dict(self.encoder.read_findings(pixels))
        fault = None
        if nearest is not None and nearest < _read_floor(prompt):
            fault = "near-copy"
        elif self._disagrees(findings, prompt):
            fault = "finding-disagrees"
        elif alignment is not None and alignment < self.floors.alignment.get(_band(prompt), -1.0):
            fault = "poorly-aligned"
        elif shows_text(pixels):
            fault = "readable-text"
        return Verdict(fault, alignment, findings, nearest)

    def _align(self, pixels: Pixels, prompt: Prompt) -> float | None:
        """Cosine of candidate and prompt in the joint space."""
        if self.encoder is None:
            return None
        known = [term for term in prompt.terms if term in self.encoder.terms]
        if not known:
            return None
        return float(self.encoder.encode_image(pixels) @ self.encoder.encode_terms(known))

    def _disagrees(self, findings: Mapping[str, float], prompt: Prompt) -> bool:
        """Whether the heads do not see what the prompt holds, or see nothing wrong where it does.

        Findings beside those of the prompt are not asked: they come together, and the heads
        tell adults' findings apart too poorly (docs/model-card.md).
        """
        band = _band(prompt)
        said = [term for term in self.band_findings.get(band, ()) if term in prompt.terms]
        for term in said:
            if findings.get(term, 1.0) < self.floors.present.get(f"{band}/{term}", 0.0):
                return True
        if not said or NO_FINDING in said:
            return False
        clean = findings.get(NO_FINDING, 0.0)
        return clean > self.floors.absent.get(f"{band}/{NO_FINDING}", 1.0)


def find_fault(
    pixels: Pixels, prompt: Prompt, *, model: str, encoder: JointEncoder | None = None
) -> str | None:
    """Say why a candidate is refused, or None; see `Examiner.judge`."""
    return Examiner(model, encoder).judge(pixels, prompt).fault


def shows_text(pixels: Pixels) -> bool:
    """Whether something like burned-in letters stands in a candidate.

    A cheap test without OCR: letters are thin, hard and near the end of the grey scale; the
    networks of `updp_node.pixels.ocr` take a hundred times as long and find as little in
    256 x 256 drawn pixels.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns)
    """
    picture = pixels.astype(np.int16)
    steps = np.abs(np.diff(picture, axis=1))[:-1] + np.abs(np.diff(picture, axis=0))[:, :-1]
    return int((steps > _HARD_STEP).sum()) > _HARD_STEPS


def measure_nearest(pixels: Pixels, prompt: Prompt) -> float:
    """Distance to the nearest training image of the prompt's band, 0..2.

    Between directions in the eigen-space: a pale copy has the direction of its original.
    """
    table = load_default_arrays(_CODES)[_band(prompt)]
    code = describe(pixels)[0][: table.shape[1]]
    lengths = np.linalg.norm(table, axis=1) * np.linalg.norm(code)
    return float(np.sqrt(max(2 - 2 * float((table @ code / lengths).max()), 0.0)))


def _read_floor(prompt: Prompt) -> float:
    """Half of real adult strangers, and nine of ten children, lie farther from the training set."""
    return float(read_manifest(DEFAULT_FOLDER)["nearest"]["floor"][_band(prompt)])


def _band(prompt: Prompt) -> str:
    return "child" if "child" in prompt.terms else "adult"
