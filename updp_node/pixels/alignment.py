"""Semantic alignment: how well a prompt fits an image and its report, in the joint space.

The objective of content optimization is ``cos(f_img(x), f_txt(p)) + a * cos(f_txt(r), f_txt(p))``
with the image x, the prompt p and the findings r that the report states present.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from updp_node.pixels.joint import JointEncoder


@dataclass(frozen=True, slots=True)
class Alignment:
    """How well a prompt fits; identified zone only, since it looks at the source.

    Attributes
    ----------
    image : float
        Cosine with the image.
    report : float or None
        Cosine with the findings of the report; None without any that the encoder knows.
    total : float
        What a solver maximises.
    """

    image: float
    report: float | None
    total: float


@dataclass(frozen=True)
class Objective:
    """What content optimization maximises, for one image.

    Attributes
    ----------
    encoder : JointEncoder
        Frozen.
    display : ndarray of uint8, shape (rows, columns)
        MONOCHROME2.
    stated : tuple of str
        Findings that the report states present; those unknown to the encoder are left out.
    report_weight : float
        The weight a of the report.
    """

    encoder: JointEncoder
    display: NDArray[np.uint8]
    stated: tuple[str, ...] = ()
    report_weight: float = 1.0

    @cached_property
    def image(self) -> NDArray[np.float32]:
        """The image in the joint space."""
        return self.encoder.encode_image(self.display)

    @cached_property
    def report(self) -> NDArray[np.float32] | None:
        """What the report states in the joint space; None where it states nothing known."""
        known = self.select_known(self.stated)
        return self.encoder.encode_terms(known) if known else None

    @cached_property
    def direction(self) -> NDArray[np.float32]:
        """Image and weighted report as one vector: the objective is its product with p."""
        if self.report is None:
            return self.image
        weighted: NDArray[np.float32] = self.image + np.float32(self.report_weight) * self.report
        return weighted

    def select_known(self, terms: Iterable[str]) -> list[str]:
        """The terms that the encoder embeds, in its order."""
        wanted = set(terms)
        return [term for term in self.encoder.terms if term in wanted]

    def score(self, terms: Sequence[str]) -> Alignment:
        """Measure a prompt; one without any known term scores zero."""
        known = self.select_known(terms)
        if not known:
            return Alignment(0.0, None if self.report is None else 0.0, 0.0)
        prompt = self.encoder.encode_terms(known)
        image = float(self.image @ prompt)
        if self.report is None:
            return Alignment(image, None, image)
        report = float(self.report @ prompt)
        return Alignment(image, report, image + self.report_weight * report)
