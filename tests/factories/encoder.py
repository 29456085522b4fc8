"""A joint encoder with real towers and random weights, for tests of what uses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from updp_node.pixels.encoder import reduce_display
from updp_node.pixels.towers import ImageTower, TextTower

SIZE = 16


class TinyEncoder:
    """Small towers over given terms; the same seed gives the same encoder."""

    def __init__(self, terms: Sequence[str], seed: int = 0) -> None:
        torch.manual_seed(seed)
        self._terms = tuple(terms)
        embeddings = torch.randn(len(self._terms), SIZE)
        self._embeddings = torch.nn.functional.normalize(embeddings, dim=1)
        self._image = ImageTower(widths=(8, 8, 8), dimension=SIZE, heads=len(self._terms)).eval()
        self.text_tower: torch.nn.Module = TextTower(embedding=SIZE, hidden=32, dimension=SIZE)
        self.text_tower.eval().requires_grad_(False)

    @property
    def sha256(self) -> str:
        return "0" * 64

    @property
    def terms(self) -> tuple[str, ...]:
        return self._terms

    @property
    def term_embeddings(self) -> NDArray[np.float32]:
        embeddings: NDArray[np.float32] = self._embeddings.numpy()
        return embeddings

    def encode_image(self, display: NDArray[np.uint8]) -> NDArray[np.float32]:
        encoded: NDArray[np.float32] = self.encode_images([display])[0]
        return encoded

    def encode_images(self, displays: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return self._see(displays)[0]

    def encode_terms(self, terms: Sequence[str]) -> NDArray[np.float32]:
        if not terms or not set(terms) <= set(self._terms):
            raise ValueError("whole terms of the encoder only, and at least one")
        rows = sorted({self._terms.index(term) for term in terms})
        with torch.inference_mode():
            encoded: NDArray[np.float32] = self.text_tower(self._embeddings[rows][None])[0].numpy()
        return encoded

    def read_findings(self, display: NDArray[np.uint8]) -> Mapping[str, float]:
        chances = 1 / (1 + np.exp(-self._see([display])[1][0]))
        return {term: float(each) for term, each in zip(self._terms, chances, strict=True)}

    def _see(
        self, displays: Sequence[NDArray[np.uint8]]
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        batch = torch.from_numpy(np.stack([reduce_display(each) for each in displays]))[:, None]
        with torch.inference_mode():
            seen, read = self._image(batch)
        return seen.numpy(), read.numpy()
