"""The two networks of the default generator (torch).

The coarse stage draws whitened coefficients of a global eigen-space by diffusion: the anatomy.
The texture stage paints what a coarse image lacks, in one pass: ribs, vessels, grain.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

COARSE_SIZE = 64
FINE_SIZE = 256
FACTOR = FINE_SIZE // COARSE_SIZE


class CoarseDenoiser(nn.Module):
    """A residual perceptron over whitened coefficients with adaptive layer norm.

    Parameters
    ----------
    coefficients : int
        Dimension of the eigen-space.
    terms : int
        Size of the vocabulary; a prompt enters as a multi-hot vector.
    width, hidden, condition, blocks : int
        Sizes of the residual stream, of the hidden layers, of the condition, and the depth.
    """

    def __init__(
        self, coefficients: int, terms: int, *, width: int, hidden: int, condition: int, blocks: int
    ) -> None:
        super().__init__()
        self.coefficients = coefficients
        self.frequencies = 64
        self.enter = nn.Linear(coefficients, width)
        self.time = nn.Sequential(
            nn.Linear(2 * self.frequencies, condition), nn.SiLU(), nn.Linear(condition, condition)
        )
        self.term = nn.Linear(terms, condition, bias=False)
        self.blocks = nn.ModuleList(_Block(width, hidden, condition) for _ in range(blocks))
        self.leave = nn.Linear(width, coefficients)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, noisy: Tensor, timestep: Tensor, terms: Tensor) -> Tensor:
        """Predict the velocity.

        Parameters
        ----------
        noisy : Tensor, shape (n, coefficients)
        timestep : Tensor, shape (n,)
            0..999.
        terms : Tensor, shape (n, terms)
            Multi-hot; all zero is the unconditional prompt.
        """
        octave = torch.arange(self.frequencies, device=noisy.device) / self.frequencies
        scale = torch.exp(-math.log(10_000.0) * octave)
        angle = timestep.float()[:, None] * scale
        condition = self.time(torch.cat([angle.sin(), angle.cos()], dim=1)) + self.term(terms)
        condition = functional.silu(condition)
        stream = self.enter(noisy)
        for block in self.blocks:
            stream = block(stream, condition)
        velocity: Tensor = self.leave(functional.layer_norm(stream, stream.shape[1:]))
        return velocity


class _Block(nn.Module):
    """One residual step: shift and scale by the condition, two layers, gate."""

    def __init__(self, width: int, hidden: int, condition: int) -> None:
        super().__init__()
        self.modulate = nn.Linear(condition, 3 * width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        nn.init.zeros_(self.modulate.weight)
        nn.init.zeros_(self.modulate.bias)

    def forward(self, stream: Tensor, condition: Tensor) -> Tensor:
        shift, scale, gate = self.modulate(condition).chunk(3, dim=1)
        inner = functional.layer_norm(stream, stream.shape[1:]) * (1 + scale) + shift
        changed: Tensor = stream + gate * self.down(functional.silu(self.up(inner)))
        return changed


class TexturePainter(nn.Module):
    """A small U-Net that paints ribs, vessels and grain onto an enlarged coarse image.

    Parameters
    ----------
    widths : sequence of int
        Channels at 64, 32 and 16 pixels.
    late : int
        Channels at 256 pixels.
    """

    def __init__(self, *, widths: Sequence[int], late: int) -> None:
        super().__init__()
        wide, middle, deep = widths
        self.enter = nn.Sequential(nn.Conv2d(4, wide, 3, padding=1), _Residual(wide))
        self.down_middle = nn.Sequential(_halve(wide, middle), _Residual(middle))
        self.down_deep = nn.Sequential(
            _halve(middle, deep), _Residual(deep), _Residual(deep), _double(deep, middle)
        )
        self.up_middle = nn.Sequential(
            nn.Conv2d(2 * middle, middle, 1), _Residual(middle), _double(middle, wide)
        )
        self.up_wide = nn.Sequential(nn.Conv2d(2 * wide, wide, 1), _Residual(wide))
        self.leave = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.Conv2d(wide, late * FACTOR**2, 3, padding=1),
            nn.PixelShuffle(FACTOR),
            nn.LeakyReLU(0.2),
            nn.Conv2d(late, 1, 3, padding=1),
        )
        for weight in self.parameters():
            if weight.ndim == 4:
                weight.data = weight.data.contiguous(memory_format=torch.channels_last)

    def forward(self, coarse: Tensor, child: Tensor, noise: Tensor) -> Tensor:
        """Paint.

        Parameters
        ----------
        coarse : Tensor, shape (n, 1, 64, 64)
            0..1.
        child : Tensor, shape (n,)
            1 for the texture of the children's images, 0 for that of the adults'.
        noise : Tensor, shape (n, 2, 64, 64)
            Standard normal.

        Returns
        -------
        Tensor, shape (n, 1, 256, 256)
        """
        band = child[:, None, None, None].expand_as(coarse)
        entered = torch.cat([coarse * 2 - 1, band, noise], 1)
        fine = self.enter(entered.contiguous(memory_format=torch.channels_last))
        middle = self.down_middle(fine)
        middle = self.up_middle(torch.cat([middle, self.down_deep(middle)], 1))
        fine = self.up_wide(torch.cat([fine, middle], 1))
        painted: Tensor = enlarge(coarse) + 0.1 * self.leave(fine)
        return painted


class _Residual(nn.Module):
    """Two convolutions beside the identity, without normalization."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, 3, padding=1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(width, width, 3, padding=1),
        )

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = features + self.inner(features)
        return changed


def _halve(width: int, wider: int) -> nn.Module:
    return nn.Conv2d(width, wider, 4, stride=2, padding=1)


def _double(width: int, narrower: int) -> nn.Module:
    """Convolve, then enlarge twice: no checkerboard as of transposed convolutions."""
    return nn.Sequential(
        nn.Conv2d(width, narrower, 3, padding=1),
        nn.Upsample(scale_factor=2, mode="bilinear", align_corners=False),
    )


def enlarge(coarse: Tensor) -> Tensor:
    """Enlarge coarse images (n, 1, 64, 64) to (n, 1, 256, 256)."""
    return functional.interpolate(coarse, size=FINE_SIZE, mode="bicubic", align_corners=False)


def reduce(fine: Tensor) -> Tensor:
    """Average images (n, 1, 256, 256) to (n, 1, 64, 64)."""
    return functional.interpolate(fine, size=COARSE_SIZE, mode="area")
