"""Attackers: small networks that learn to tell whether two images show one patient.

Both members of a pair go through the same network; its vectors of one patient are drawn
together and those of all others in the batch apart. Every draw comes from the seed and the
step, and the number of steps is fixed beforehand, so that a repetition agrees.

References
----------
K. Packhaeuser et al., "Deep learning-based patient re-identification is able to exploit the
biometric nature of medical chest X-ray data", Sci Rep 2022. A. van den Oord et al., "Representation
Learning with Contrastive Predictive Coding", arXiv 1807.03748.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional

from updp_node.evaluation.features import Features
from updp_node.evaluation.network import Trunk, augment, prepare

_VERSION = 1
_TEMPERATURE = 0.1


@dataclass(frozen=True, slots=True)
class Training:
    """How an attacker is trained.

    Attributes
    ----------
    steps, batch, width, outputs : int
        Steps of `batch` pairs; sizes of the network.
    rate : float
        Highest learning rate.
    seed : int
    """

    steps: int
    batch: int = 64
    width: int = 24
    outputs: int = 128
    rate: float = 1e-3
    seed: int = 0


@dataclass(frozen=True)
class Pairs:
    """What pairs may be drawn: two pools of images, and the patient of each.

    Attributes
    ----------
    first, second : ndarray of uint8, shape (n, rows, columns)
        Of a frozen attacker both are the real images; of an adaptive one `first` are
        counterparts.
    first_patients, second_patients : ndarray of str
    groups : ndarray of str
        Of `second`: negatives come from one group, so that they are no easier than need be.
    """

    first: NDArray[np.uint8]
    second: NDArray[np.uint8]
    first_patients: NDArray[np.str_]
    second_patients: NDArray[np.str_]
    groups: NDArray[np.str_]

    def digest(self) -> str:
        """SHA-256 of all of it."""
        sha256 = hashlib.sha256()
        for part in (self.first, self.second):
            sha256.update(np.ascontiguousarray(part).tobytes())
        for names in (self.first_patients, self.second_patients, self.groups):
            sha256.update("\0".join(names).encode())
        return sha256.hexdigest()


class Attacker:
    """A trained network: images to vectors of length 1; their product is the score."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network.eval()

    def weights(self) -> dict[str, Tensor]:
        """Of the network."""
        return self._network.state_dict()

    def digest(self) -> str:
        """SHA-256 of the weights."""
        sha256 = hashlib.sha256()
        for _, value in sorted(self.weights().items()):
            sha256.update(value.contiguous().numpy().tobytes())
        return sha256.hexdigest()

    @torch.inference_mode()
    def encode(self, images: NDArray[np.uint8]) -> Features:
        """Encode images as (n, outputs)."""
        parts = [self._network(part) for part in torch.split(prepare(images), 256)]
        vectors: Features = functional.normalize(torch.cat(parts)).numpy()
        return vectors


def train_attacker(
    pairs: Pairs,
    training: Training,
    *,
    start: Attacker | None = None,
    cache: Path | None = None,
    advance: Callable[[], None] = lambda: None,
) -> Attacker:
    """Train an attacker, or take it from the cache.

    Parameters
    ----------
    pairs : Pairs
    training : Training
    start : Attacker, optional
        Of the same sizes; trained further. An adaptive attacker knows what the frozen one knew.
    cache : pathlib.Path, optional
        Folder of weights by the hash of everything they depend on.
    advance : callable
        Called after every step.
    """
    torch.manual_seed(training.seed)
    network = Trunk(training.width, training.outputs)
    if start is not None:
        network.load_state_dict(start.weights())
    begun = start.digest() if start else ""
    wanted = json.dumps([_VERSION, torch.__version__, pairs.digest(), asdict(training), begun])
    name = f"attacker-{hashlib.sha256(wanted.encode()).hexdigest()[:32]}.safetensors"
    kept = cache / name if cache else None
    if kept and kept.is_file():
        network.load_state_dict(load_file(kept))
        return Attacker(network)
    _train(network, pairs, training, advance)
    if kept:
        kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        save_file(network.state_dict(), kept)
    return Attacker(network)


def _train(
    network: nn.Module, pairs: Pairs, training: Training, advance: Callable[[], None]
) -> None:
    """Adam with warm-up and cosine decay over pairs drawn from the seed and the step."""
    first = prepare(pairs.first)
    second = first if pairs.second is pairs.first else prepare(pairs.second)
    draw = _Drawing(pairs)
    optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.rate, total_steps=max(training.steps, 20), pct_start=0.1
    )
    network.train()
    for step in range(training.steps):
        one, other = draw(training.batch, training.seed * 1_000_003 + step)
        generator = torch.Generator().manual_seed(training.seed * 1_000_003 + step)
        seen = torch.cat([augment(first[one], generator), augment(second[other], generator)])
        loss = contrast(*network(seen).chunk(2))
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        schedule.step()
        advance()


def contrast(one: Tensor, other: Tensor) -> Tensor:
    """Cross-entropy of finding each row's partner among all rows, both ways."""
    products = functional.normalize(one) @ functional.normalize(other).T / _TEMPERATURE
    wanted = torch.arange(len(one))
    forth = functional.cross_entropy(products, wanted)
    return (forth + functional.cross_entropy(products.T, wanted)) / 2


class _Drawing:
    """Draws one pair each of several patients of one group; two images where there are two."""

    def __init__(self, pairs: Pairs) -> None:
        self._first = _list_places(pairs.first_patients)
        self._second = _list_places(pairs.second_patients)
        self._is_one_pool = pairs.first is pairs.second
        group_of = dict(zip(pairs.second_patients, pairs.groups, strict=True))
        members: dict[str, list[str]] = {}
        for patient in sorted(self._first.keys() & self._second.keys()):
            members.setdefault(group_of[patient], []).append(patient)
        self._members = [np.array(names) for _, names in sorted(members.items())]
        sizes = np.array([len(names) for names in self._members], dtype=float)
        self._shares = sizes / sizes.sum()
        self._weights = [self._weigh(names) for names in self._members]

    def __call__(self, count: int, seed: int) -> tuple[Tensor, Tensor]:
        rng = np.random.default_rng(seed)
        group = rng.choice(len(self._members), p=self._shares)
        names = self._members[group]
        chosen = rng.choice(
            names, size=min(count, len(names)), replace=False, p=self._weights[group]
        )
        drawn = [self._draw_pair(name, rng) for name in chosen]
        return torch.tensor([a for a, _ in drawn]), torch.tensor([b for _, b in drawn])

    def _draw_pair(self, patient: str, rng: np.random.Generator) -> tuple[int, int]:
        one = int(rng.choice(self._first[patient]))
        others = self._second[patient]
        if self._is_one_pool and len(others) > 1:
            others = others[others != one]
        return one, int(rng.choice(others))

    def _weigh(self, names: NDArray[np.str_]) -> NDArray[np.float64]:
        """Patients with several images teach more: they are drawn three times as often."""
        weights = np.array([3.0 if len(self._second[name]) > 1 else 1.0 for name in names])
        total: NDArray[np.float64] = weights / weights.sum()
        return total


def _list_places(patients: NDArray[np.str_]) -> dict[str, NDArray[np.intp]]:
    order = np.argsort(patients, kind="stable")
    names, starts = np.unique(patients[order], return_index=True)
    return dict(zip(names.tolist(), np.split(order, starts[1:]), strict=True))
