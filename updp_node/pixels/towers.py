"""The two towers of the joint encoder (torch): images, and sets of terms."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

IMAGE_SIZE = 128


class ImageTower(nn.Module):
    """A small residual network over standardized images.

    Parameters
    ----------
    widths : sequence of int
        Channels at 32, 16 and 8 pixels.
    dimension : int
        Of the joint space.
    heads : int
        Number of yes/no questions that are read beside the embedding.
    """

    def __init__(self, *, widths: Sequence[int], dimension: int, heads: int) -> None:
        super().__init__()
        fine, middle, deep = widths
        self.features = nn.Sequential(
            *_convolve(1, fine // 2, 5, stride=2),
            *_convolve(fine // 2, fine, 3, stride=2),
            _Residual(fine),
            _Residual(fine),
            *_convolve(fine, middle, 3, stride=2),
            _Residual(middle),
            _Residual(middle),
            *_convolve(middle, deep, 3, stride=2),
            _Residual(deep),
            _Residual(deep),
        )
        self.drop = nn.Dropout(0.25)
        self.embed = nn.Linear(2 * deep, dimension)
        self.read = nn.Linear(2 * deep, heads)
        for weight in self.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Encode and read.

        Parameters
        ----------
        images : Tensor, shape (n, 1, 128, 128)
            0..255; brightness and contrast are normalized here.

        Returns
        -------
        embedding : Tensor, shape (n, dimension)
            Of unit norm.
        logits : Tensor, shape (n, heads)
        """
        features = self.features(standardize(images))
        pooled = torch.cat([features.mean((2, 3)), features.amax((2, 3))], 1).float()
        pooled = self.drop(pooled)
        return functional.normalize(self.embed(pooled), dim=1), self.read(pooled)


class TextTower(nn.Module):
    """Embeds a set of terms: every term alone, the sum, and two layers over the sum.

    Parameters
    ----------
    embedding, hidden, dimension : int
        Sizes of a term, of the hidden layers, of the joint space.
    """

    def __init__(self, *, embedding: int, hidden: int, dimension: int) -> None:
        super().__init__()
        self.alone = nn.Sequential(nn.Linear(embedding, hidden), nn.GELU())
        self.together = nn.Sequential(
            nn.LayerNorm(hidden),
            nn.Linear(hidden, hidden),
            nn.GELU(),
            nn.Linear(hidden, dimension),
        )

    def forward(self, embeddings: Tensor, mask: Tensor | None = None) -> Tensor:
        """Encode sets.

        Parameters
        ----------
        embeddings : Tensor, shape (batch, n, embedding)
        mask : Tensor, shape (batch, n), optional
            1 for a term that counts, 0 for padding; values between are allowed.

        Returns
        -------
        Tensor, shape (batch, dimension)
            Of unit norm.
        """
        single = self.alone(embeddings)
        if mask is not None:
            single = single * mask[..., None].to(single.dtype)
        return functional.normalize(self.together(single.sum(1)), dim=1)


class _Residual(nn.Module):
    """Two normalized convolutions beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = nn.Sequential(*_convolve(width, width, 3))
        self.second = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)
        nn.init.zeros_(self.norm.weight)

    def forward(self, features: Tensor) -> Tensor:
        return functional.relu(features + self.norm(self.second(self.first(features))))


def _convolve(narrow: int, wide: int, size: int, *, stride: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(narrow, wide, size, stride=stride, padding=size // 2, bias=False)
    return [convolution, nn.BatchNorm2d(wide), nn.ReLU()]


def standardize(images: Tensor) -> Tensor:
    """Zero mean and unit spread per image, so that another window changes little."""
    centred = images - images.mean((2, 3), keepdim=True)
    spread = centred.square().mean((2, 3), keepdim=True).sqrt().clamp(min=1.0)
    standard: Tensor = centred / spread
    return standard.contiguous(memory_format=torch.channels_last)
