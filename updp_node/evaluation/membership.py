"""Membership inference: whether the generator tells that an image was in its training.

References
----------
N. Carlini et al., arXiv 2301.13188 (loss threshold). J. Duan et al., "Are Diffusion Models
Vulnerable to Membership Inference Attacks?" (SecMI), arXiv 2302.01316. F. Kong et al., "An
Efficient Membership Inference Attack for the Diffusion Model by Proximal Initialization" (PIA),
arXiv 2305.18355.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from updp_node.evaluation.features import Features, measure_distances
from updp_node.evaluation.figure import Curve, Figure, Measurements, Section
from updp_node.evaluation.statistics import Roc, bootstrap, widen

_S = Section.COPIES
_STRIDE = 10  # SecMI: k
_TIME = 100  # SecMI: t
_PIA_TIME = 200
_LOSS_TIMES = (50, 100, 200, 300, 400)
_LOSS_DRAWS = 4

Predict = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Noisy (n, ...), timesteps (n,), conditions (n, c) -> the noise in it, as `noisy`."""


@dataclass(frozen=True)
class Diffusion:
    """A denoiser as an attacker sees it.

    Attributes
    ----------
    predict_noise : callable
        See `Predict`.
    alphas : ndarray of float, shape (timesteps,)
        Cumulative products: share of the signal's variance left at each step.
    """

    predict_noise: Predict
    alphas: NDArray[np.float64]

    def blend(self, clean: Tensor, noise: Tensor, time: int) -> Tensor:
        """The noisy image of a step."""
        kept = float(self.alphas[time])
        noisy: Tensor = kept**0.5 * clean + (1 - kept) ** 0.5 * noise
        return noisy

    def ask(self, noisy: Tensor, time: int, condition: Tensor) -> Tensor:
        """Noise predicted at one step."""
        steps = torch.full((len(noisy),), time, dtype=torch.long)
        return self.predict_noise(noisy, steps, condition)

    def move(self, noisy: Tensor, start: int, end: int, condition: Tensor) -> Tensor:
        """One deterministic DDIM step, forth or back."""
        noise = self.ask(noisy, start, condition)
        kept = float(self.alphas[start])
        clean = (noisy - (1 - kept) ** 0.5 * noise) / kept**0.5
        return self.blend(clean, noise, end)


@dataclass(frozen=True)
class Candidates:
    """Images of which some were in training.

    Attributes
    ----------
    clean : Tensor, shape (n, ...)
        As the denoiser sees them.
    condition : Tensor, shape (n, c)
    member : ndarray of bool, shape (n,)
    patients : ndarray of str, shape (n,)
    """

    clean: Tensor
    condition: Tensor
    member: NDArray[np.bool_]
    patients: NDArray[np.str_]


@torch.inference_mode()
def measure_membership(
    model: Diffusion, asked: Candidates, *, seed: int, band: str = ""
) -> Measurements:
    """Loss threshold, SecMI and PIA against a denoiser that the attacker holds.

    Parameters
    ----------
    model : Diffusion
    asked : Candidates
    seed : int
    band : str
        Whom the denoiser draws, for the keys; empty where there is one denoiser.
    """
    scores = (
        ("loss", "loss threshold", score_loss(model, asked, seed)),
        ("secmi", "SecMI", score_secmi(model, asked)),
        ("pia", "PIA", score_pia(model, asked)),
    )
    measured = Measurements()
    for key, name, values in scores:
        prefix, ending = (f"{key}.{band}", f", {band}") if band else (key, "")
        measured += _judge(
            prefix, f"{name}{ending}", values, (asked.member, asked.patients), seed=seed
        )
    return measured


def measure_black_box(
    asked: Features,
    member: NDArray[np.bool_],
    patients: NDArray[np.str_],
    samples: Features,
    *,
    seed: int,
) -> Measurements:
    """Distance to the nearest sample, for an attacker who has samples alone."""
    nearest = measure_distances(asked, samples).min(1)
    return _judge("nearest", "nearest sample", -nearest, (member, patients), seed=seed)


def score_loss(model: Diffusion, asked: Candidates, seed: int) -> NDArray[np.float64]:
    """Negative squared error of the noise, over several steps and draws."""
    generator = torch.Generator().manual_seed(seed)
    total = torch.zeros(len(asked.clean), dtype=torch.float64)
    for time in _LOSS_TIMES:
        for _ in range(_LOSS_DRAWS):
            noise = torch.randn(asked.clean.shape, generator=generator)
            told = model.ask(model.blend(asked.clean, noise, time), time, asked.condition)
            total -= (told - noise).double().square().flatten(1).mean(1)
    return np.asarray(total.numpy(), dtype=np.float64)


def score_secmi(model: Diffusion, asked: Candidates) -> NDArray[np.float64]:
    """Negative squared error of one step forth and back, after inverting up to t = 100."""
    state = asked.clean
    for time in range(0, _TIME, _STRIDE):
        state = model.move(state, time, time + _STRIDE, asked.condition)
    forth = model.move(state, _TIME, _TIME + _STRIDE, asked.condition)
    back = model.move(forth, _TIME + _STRIDE, _TIME, asked.condition)
    error = (back - state).double().square().flatten(1).sum(1)
    return np.asarray(-error.numpy(), dtype=np.float64)


def score_pia(model: Diffusion, asked: Candidates) -> NDArray[np.float64]:
    """Negative 4-norm of how the predicted noise changes when it is added itself."""
    start = model.ask(asked.clean, 0, asked.condition)
    again = model.ask(model.blend(asked.clean, start, _PIA_TIME), _PIA_TIME, asked.condition)
    error = (start - again).double().flatten(1).norm(p=4, dim=1)
    return np.asarray(-error.numpy(), dtype=np.float64)


def _judge(
    key: str,
    name: str,
    scores: NDArray[Any],
    asked: tuple[NDArray[np.bool_], NDArray[np.str_]],
    *,
    seed: int,
) -> Measurements:
    """AUC, best accuracy and true-positive rates of an attack's scores."""
    member, patients = asked
    roc = Roc(member, scores)
    title = f"Membership inference, {name}"
    rates = (
        ("auc", "AUC", roc.auc, 0.5),
        ("tpr-1", "true-positive rate at 1 % false ones", _at(roc, 0.01), 0.01),
        ("tpr-01", "true-positive rate at 0.1 % false ones", _at(roc, 0.001), 0.001),
    )
    figures = []
    for part, said, measure, chance in rates:
        value, (low, high) = measure(None), bootstrap(measure, patients, seed=seed)
        if part != "auc":
            low, high = widen((low, high), value, int(member.sum()))
        figures.append(
            Figure(f"membership.{key}.{part}", _S, f"{title}: {said}", value, low, high,
                   n=len(member), unit="images", chance=chance,
                   detail={"members": int(member.sum())})
        )  # fmt: skip
    best = roc.accuracy()
    area = widen(bootstrap(roc.accuracy, patients, seed=seed), best, len(member))
    figures.append(
        Figure(f"membership.{key}.accuracy", _S, f"{title}: best balanced accuracy",
               best, *area, n=len(member), unit="images", chance=0.5,
               why="the best threshold in hindsight: at least 0.5, and a little above by chance")
    )  # fmt: skip
    x, y = roc.points()
    curve = Curve("membership", name, x, y, "false-positive rate", "true-positive rate")
    return Measurements(tuple(figures), (curve,))


def _at(roc: Roc, rate: float) -> Callable[[NDArray[np.float64] | None], float]:
    return lambda weights: roc.sensitivity(rate, weights)
