"""What a measurement is: a value with its n, its chance level and its interval, or a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Section(StrEnum):
    """The questions that an evaluation answers, in the order of the report."""

    IDENTITY = "identity"
    COPIES = "copies"
    UTILITY = "utility"
    QUALITY = "quality"
    TEXT = "text"
    RELEASES = "releases"


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an evaluation.

    Attributes
    ----------
    key : str
        Unique and stable, lower case with dots: ``verification.auc.counterparts``.
    section : Section
    name : str
        As a person reads it.
    value : float or None
        None where it was not measured; `why` then says the reason.
    low, high : float or None
        95 % interval, by patients where patients exist.
    n : int
        What the value rests on; `unit` names it.
    unit : str
        Of `n`: ``patients``, ``images``, ``pairs``, ``texts``, ``spans``.
    chance : float or None
        What a guess would reach.
    arm : str
        What was measured: ``real``, ``counterparts``, ``raw-report prompts``, or empty.
    why : str
        Why a figure was not measured, or what limits it.
    detail : Mapping[str, float or int or str]
        Further numbers of the same measurement; no identifier of a patient.
    """

    key: str
    section: Section
    name: str
    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0
    unit: str = ""
    chance: float | None = None
    arm: str = ""
    why: str = ""
    detail: Mapping[str, float | int | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse a figure that says nothing.

        Raises
        ------
        ValueError
            Neither a value nor a reason; an interval that does not hold its value.
        """
        if self.value is None and not self.why:
            raise ValueError(f"{self.key}: neither measured nor a reason why not")
        bounds = (self.low, self.high)
        if (
            self.value is not None
            and None not in bounds
            and not (
                bounds[0] <= bounds[1]  # type: ignore[operator]
            )
        ):
            raise ValueError(f"{self.key}: the interval is upside down")

    @property
    def is_measured(self) -> bool:
        """Whether there is a value."""
        return self.value is not None


def not_measured(key: str, section: Section, name: str, why: str, *, arm: str = "") -> Figure:
    """A figure that could not be had, with the reason."""
    return Figure(key, section, name, None, why=why, arm=arm)


@dataclass(frozen=True, slots=True)
class Curve:
    """Points for a plot.

    Attributes
    ----------
    key : str
        Of the plot it belongs to: ``roc``, ``cross-hospital``.
    label : str
    x, y : tuple of float
        Of one length.
    x_name, y_name : str
    """

    key: str
    label: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    x_name: str
    y_name: str


@dataclass(frozen=True, slots=True)
class Histogram:
    """Counts for a plot: `edges` is one longer than `counts`."""

    key: str
    label: str
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    x_name: str


@dataclass(frozen=True, slots=True)
class Matrix:
    """Named rows and columns of values, such as the agreement of findings."""

    key: str
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    values: tuple[tuple[float, ...], ...]


@dataclass(frozen=True, slots=True)
class Measurements:
    """All that one measurement yields."""

    figures: tuple[Figure, ...] = ()
    curves: tuple[Curve, ...] = ()
    histograms: tuple[Histogram, ...] = ()
    matrices: tuple[Matrix, ...] = ()

    def __add__(self, other: Measurements) -> Measurements:
        """Both together, in order."""
        return Measurements(
            self.figures + other.figures,
            self.curves + other.curves,
            self.histograms + other.histograms,
            self.matrices + other.matrices,
        )
