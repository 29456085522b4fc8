"""Prompts without a filter: what the generator is told is fitted to one patient's image.

A whitelist prompt is one of 54 points in the space of the generator's conditions. A free prompt
is the point of that space with which the frozen generator predicts this image best: content
optimization without projection onto the whitelist, without the report's consistency rules, without
prompt anonymity. It is the most that a prompt of any words could tell this generator, found by
the method that finds pseudo-words for images.

References
----------
R. Gal et al., "An Image is Worth One Word", arXiv 2208.01618; Y. Wen et al., arXiv 2302.03668
(the published pipeline's step that is left out here is its projection).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from tools.evidence.studio import Studio

RATE = 0.1
DRAWS = 2
_CHUNK = 256


def fit_free_prompts(
    studio: Studio,
    codes: Tensor,
    start: Tensor,
    *,
    steps: int,
    seed: int,
    advance: Callable[[], None] = lambda: None,
) -> Tensor:
    """Fit a condition to every image.

    Parameters
    ----------
    studio : Studio
    codes : Tensor, shape (n, coefficients)
        Of the images.
    start : Tensor, shape (n, condition)
        Of their whitelist prompts.
    steps : int
        Of Adam; fixed beforehand, each with two random steps of the diffusion for every image.
    seed : int
    advance : callable
        Called after every step of every 256 images.
    """
    parts = []
    for first in range(0, len(codes), _CHUNK):
        own, place = codes[first : first + _CHUNK], start[first : first + _CHUNK]
        free = place.clone().requires_grad_(True)
        optimizer = torch.optim.Adam([free], lr=RATE)
        generator = torch.Generator().manual_seed(seed * 1_000_003 + first)
        for _ in range(steps):
            loss = torch.stack([
                studio.measure_loss(own, free, generator) for _ in range(DRAWS)
            ]).mean(0)  # fmt: skip
            optimizer.zero_grad()
            torch.autograd.backward(loss.sum())
            optimizer.step()
            advance()
        parts.append(free.detach())
    return torch.cat(parts)


def count_steps(images: int, steps: int) -> int:
    """How often `advance` is called."""
    return -(-images // _CHUNK) * steps
