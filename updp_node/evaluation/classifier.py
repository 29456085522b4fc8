"""Classifiers of findings: one small network, one budget, whatever it is trained on (torch)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import nn
from torch.nn import functional

from updp_node.evaluation.network import Trunk, augment, prepare

_VERSION = 1
_WIDTH = 16
_BATCH = 64
_RATE = 1e-3


@dataclass(frozen=True)
class Lesson:
    """Images and what they show.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, rows, columns)
    labels : ndarray of float32, shape (n, findings)
        0 or 1.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.float32]

    def __add__(self, other: Lesson) -> Lesson:
        """Both together."""
        return Lesson(
            np.concatenate([self.images, other.images]),
            np.concatenate([self.labels, other.labels]),
        )

    def thin(self, size: int, seed: int) -> Lesson:
        """As many images as asked for, or all."""
        order = np.random.default_rng(seed).permutation(len(self.images))[:size]
        return Lesson(self.images[order], self.labels[order])

    def digest(self) -> str:
        """SHA-256 of both."""
        sha256 = hashlib.sha256(np.ascontiguousarray(self.images).tobytes())
        sha256.update(np.ascontiguousarray(self.labels).tobytes())
        return sha256.hexdigest()


@dataclass(frozen=True)
class School:
    """How classifiers are trained: the same for all that are compared.

    Attributes
    ----------
    steps : int
        Of 64 images each.
    seed : int
    cache : pathlib.Path or None
        Folder of weights by the hash of everything they depend on.
    advance : callable
        Called after every step.
    """

    steps: int
    seed: int = 0
    cache: Path | None = None
    advance: Callable[[], None] = lambda: None

    def teach(self, *lessons: Lesson) -> Classifier:
        """Train on one lesson after the other; several share the steps."""
        digests = [lesson.digest() for lesson in lessons]
        wanted = json.dumps([_VERSION, torch.__version__, self.steps, self.seed, digests])
        name = f"classifier-{hashlib.sha256(wanted.encode()).hexdigest()[:32]}.safetensors"
        torch.manual_seed(self.seed)
        network = Trunk(_WIDTH, lessons[0].labels.shape[1])
        kept = self.cache / name if self.cache else None
        if kept and kept.is_file():
            network.load_state_dict(load_file(kept))
            return Classifier(network)
        for number, lesson in enumerate(lessons):
            self._train(network, lesson, self.steps // len(lessons), number)
        if kept:
            kept.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            save_file(network.state_dict(), kept)
        return Classifier(network)

    def _train(self, network: nn.Module, lesson: Lesson, steps: int, number: int) -> None:
        images, labels = prepare(lesson.images), torch.from_numpy(lesson.labels)
        share = labels.mean(0).clamp(0.02, 0.98)
        weight = ((1 - share) / share).clamp(0.2, 10)
        optimizer = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, _RATE, total_steps=max(steps, 20), pct_start=0.2
        )
        network.train()
        for step in range(steps):
            generator = torch.Generator().manual_seed(
                self.seed * 1_000_003 + number * 100_003 + step
            )
            chosen = torch.randint(len(images), (_BATCH,), generator=generator)
            told = network(augment(images[chosen], generator, 0.7))
            loss = functional.binary_cross_entropy_with_logits(
                told, labels[chosen], pos_weight=weight
            )
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            optimizer.step()
            schedule.step()
            self.advance()


class Classifier:
    """A trained network."""

    def __init__(self, network: nn.Module) -> None:
        self._network = network.eval()

    @torch.inference_mode()
    def score(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Logits, shape (n, findings)."""
        parts = [self._network(part) for part in torch.split(prepare(images), 256)]
        scores: NDArray[np.float32] = torch.cat(parts).numpy()
        return scores
