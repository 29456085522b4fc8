"""Gradient-based hard prompt optimization over whole whitelist terms (torch).

Continuous embeddings are projected onto their nearest allowed term in every forward pass, the
gradient is taken at the projected point and applied to the continuous one, and the best decoded
prompt is kept. Only rows of allowed terms are candidates of the projection: they are selected by
index, so no other term can win, and no term is cut into pieces.

References
----------
Y. Wen et al., arXiv 2302.03668.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from updp_node.pixels.alignment import Objective
from updp_node.pixels.optimization import GAIN, Score, Settings, Space

_LEARNING_RATE = 0.1
_WEIGHT_DECAY = 0.1


def search_gradient(
    space: Space, objective: Objective, score: Score, settings: Settings, *, seed: int
) -> frozenset[str]:
    """Search with every number of slots that the space admits; keep the best decoded set.

    A slot may fall on a term that the prompt holds already, and then adds nothing; so smaller
    sets than slots are within reach.

    Parameters
    ----------
    space : Space
    objective : Objective
    score : callable
        Objective of a set of findings.
    settings : Settings
    seed : int
        Of the continuous start.
    """
    best = space.start
    free = objective.select_known(space.candidates)
    room = min(len(free), max(settings.max_terms - len(space.start), 0))
    dice = torch.Generator().manual_seed(seed)
    for slots in range(1, room + 1):
        found = _search(space, objective, score, settings, free=free, slots=slots, dice=dice)
        if not space.admits(best) or score(found) > score(best) + GAIN:
            best = found
    return best


def _search(
    space: Space, objective: Objective, score: Score, settings: Settings, *, free: list[str],
    slots: int, dice: torch.Generator,
) -> frozenset[str]:  # fmt: skip
    """Optimize one number of slots."""
    held = objective.select_known((*space.fixed, *space.start))
    allowed = [*free, *held]
    rows = torch.tensor([objective.encoder.terms.index(term) for term in allowed])
    table = torch.from_numpy(objective.encoder.term_embeddings.copy())[rows]
    given, direction = table[len(free) :], torch.from_numpy(objective.direction)
    first = torch.randint(len(free), (slots,), generator=dice)
    soft = table[first].clone().requires_grad_(True)
    optimizer = torch.optim.AdamW([soft], lr=_LEARNING_RATE, weight_decay=_WEIGHT_DECAY)
    best, idle = space.start, 0
    for _ in range(settings.iterations):
        nearest = project(soft.detach(), table)
        hard = soft + (table[nearest] - soft).detach()
        encoded = objective.encoder.text_tower(torch.cat([given, hard])[None])[0]
        loss = -(encoded @ direction)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        decoded = space.start | ({allowed[row] for row in nearest.tolist()} & set(free))
        idle += 1
        better = not space.admits(best) or score(decoded) > score(best) + GAIN
        if space.admits(decoded) and better:
            best, idle = decoded, 0
        if idle >= settings.patience:
            break
    return best


def project(soft: Tensor, table: Tensor) -> Tensor:
    """Row of `table` nearest to each embedding, by cosine.

    Parameters
    ----------
    soft : Tensor, shape (slots, E)
    table : Tensor, shape (allowed, E)
        Embeddings of the allowed terms only.

    Returns
    -------
    Tensor of int64, shape (slots,)
    """
    nearest: Tensor = (
        functional.normalize(soft, dim=1) @ functional.normalize(table, dim=1).T
    ).argmax(1)
    return nearest
