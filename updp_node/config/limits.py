"""Limits of a release, as a profile states them and `updp-node evaluate` holds figures against."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Limit(BaseModel):
    """One limit: exactly one of `upper` and `lower`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    upper: float | None = None
    lower: float | None = None
    minimum: Annotated[int, Field(ge=1)] = 30
    attack: bool = False

    @model_validator(mode="after")
    def _one_side(self) -> Limit:
        if (self.upper is None) == (self.lower is None):
            raise ValueError("name one of upper and lower")
        return self


DEFAULT_LIMITS: dict[str, Limit] = {
    "verification.leakage.frozen.counterparts": Limit(upper=0.2, attack=True),
    "verification.leakage.adaptive.counterparts": Limit(upper=0.2, attack=True),
    "linkage.frozen.lift.counterparts": Limit(upper=2.0, attack=True),
    "linkage.adaptive.lift.counterparts": Limit(upper=2.0, attack=True),
    "copies.dcr": Limit(upper=0.60),
    "utility.difference.macro.counterparts": Limit(lower=-0.05),
}


class Release(BaseModel):
    """Limits of a release by the key of the figure.

    Attributes
    ----------
    ceiling : float
        Least AUC of the attacker on real pairs, with its lower bound: a weaker one shows nothing.
    limits : dict of str to Limit
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ceiling: Annotated[float, Field(gt=0.5, lt=1)] = 0.80
    limits: dict[str, Limit] = Field(default_factory=lambda: dict(DEFAULT_LIMITS))

    def select(self, *, texts: bool) -> Release:
        """The limits on figures of texts alone, or all others: two commands ask them."""
        chosen = {k: each for k, each in self.limits.items() if k.startswith("text.") == texts}
        return self.model_copy(update={"limits": chosen})
