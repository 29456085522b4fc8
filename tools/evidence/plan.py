"""What the study does, fixed beforehand: sets, steps, seeds. No clock decides anything."""

from __future__ import annotations

from dataclasses import dataclass

WHITELIST = "whitelist"
FREE = "free prompts"
NOISED = "noised sources"
DRAWING_SEED = 1


@dataclass(frozen=True, slots=True)
class Population:
    """One of the two sets of radiographs.

    Attributes
    ----------
    name : str
        As the page names it.
    band : str
        Of the generator.
    archive : str
        Part of the file names in the index: what is measured.
    band_archives : tuple of str
        All that the generator's band was trained on: for copies and membership.
    copies : int
        Counterparts of every test image.
    """

    name: str
    band: str
    archive: str
    band_archives: tuple[str, ...]
    copies: int


ADULTS = Population("adults", "adult", "nih_adult_256", ("nih_adult_256", "nih_adult_64"), copies=3)
CHILDREN = Population("children", "child", "kermany_child_192", ("kermany_child_192",), copies=1)
POPULATIONS = (ADULTS, CHILDREN)


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is drawn and trained.

    Attributes
    ----------
    name : str
    frozen, adaptive, classifier, width : int
        See `updp_node.evaluation.effort.Effort`.
    taught, tested : int
        At most so many images of each population to draw counterparts of and to be tested on,
        chosen by the seed, whole patients; 0 is all.
    fit : int
        Steps of fitting a free prompt.
    asked : int
        At most so many members, and as many others, for membership inference.
    shares : tuple of float
        Of R_B, for the cross-hospital curves.
    """

    name: str
    frozen: int
    adaptive: int
    classifier: int
    width: int
    taught: int
    tested: int
    fit: int
    asked: int
    shares: tuple[float, ...]


FULL = Plan(
    "full", frozen=500, adaptive=120, classifier=200, width=16, taught=800, tested=0, fit=200,
    asked=1000, shares=(0.03, 0.1, 0.3, 1.0),
)  # fmt: skip
TINY = Plan(
    "tiny", frozen=4, adaptive=2, classifier=2, width=8, taught=120, tested=120, fit=2,
    asked=60, shares=(0.3, 1.0),
)  # fmt: skip
PLANS = {plan.name: plan for plan in (FULL, TINY)}
