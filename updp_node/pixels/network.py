"""The two networks of the default generator, and the linear maps around them (torch).

The coarse stage draws whitened coefficients of a global eigen-space: the anatomy. The texture
stage, a diffusers ``UNet2DModel``, draws lapped-transform coefficients of what the coarse
image lacks: ribs, vessels, grain.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from updp_node.pixels.lapped import STRIDE, build_lapped_kernels

COARSE_SIZE = 64
FINE_SIZE = 256


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


def build_texture_unet(channels: int, sizes: dict[str, Any]) -> nn.Module:
    """Build the texture denoiser: noisy detail and the coarse image in, velocity out.

    Parameters
    ----------
    channels : int
        Detail channels of the lapped transform that are drawn.
    sizes : dict
        ``block_out_channels`` and ``layers_per_block``.
    """
    from diffusers import UNet2DModel  # noqa: PLC0415 - heavy: only when a model is built

    levels = len(sizes["block_out_channels"])
    make: Callable[..., Any] = UNet2DModel
    unet: nn.Module = make(
        sample_size=FINE_SIZE // STRIDE,
        in_channels=channels + (STRIDE * COARSE_SIZE // FINE_SIZE) ** 2,
        out_channels=channels,
        block_out_channels=tuple(sizes["block_out_channels"]),
        layers_per_block=int(sizes["layers_per_block"]),
        down_block_types=("DownBlock2D",) * (levels - 1) + ("AttnDownBlock2D",),
        up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * (levels - 1),
        num_class_embeds=2,
        norm_num_groups=16,
    )
    for parameter in unet.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=torch.channels_last)
    return unet


def enlarge(coarse: Tensor) -> Tensor:
    """Enlarge coarse images (n, 1, 64, 64) to (n, 1, 256, 256)."""
    return functional.interpolate(coarse, size=FINE_SIZE, mode="bicubic", align_corners=False)


def reduce(fine: Tensor) -> Tensor:
    """Average images (n, 1, 256, 256) to (n, 1, 64, 64)."""
    return functional.interpolate(fine, size=COARSE_SIZE, mode="area")


def fold(coarse: Tensor) -> Tensor:
    """Coarse images (n, 1, 64, 64) on the grid of the detail: (n, 4, 32, 32)."""
    return functional.pixel_unshuffle(coarse, STRIDE * COARSE_SIZE // FINE_SIZE)


class Lapped(nn.Module):
    """Analysis and synthesis of the lapped transform, with rotation to the kept channels.

    Parameters
    ----------
    rotation : Tensor, shape (64, channels)
        Orthonormal columns; the identity keeps everything.
    """

    kernels: Tensor

    def __init__(self, rotation: Tensor) -> None:
        super().__init__()
        basis = torch.from_numpy(build_lapped_kernels())
        rotated = torch.einsum("kc,kij->cij", rotation.float(), basis)
        self.register_buffer("kernels", rotated[:, None].contiguous())

    def analyze(self, image: Tensor) -> Tensor:
        """Detail coefficients (n, channels, 32, 32) of images (n, 1, 256, 256)."""
        extended = functional.pad(image, (0, STRIDE, 0, STRIDE), mode="circular")
        return functional.conv2d(extended, self.kernels, stride=STRIDE)

    def synthesize(self, detail: Tensor) -> Tensor:
        """Images (n, 1, 256, 256) of detail coefficients (n, channels, 32, 32)."""
        extended = functional.conv_transpose2d(detail, self.kernels, stride=STRIDE)
        image = extended[..., :-STRIDE, :-STRIDE].clone()
        image[..., :STRIDE, :] += extended[..., -STRIDE:, :-STRIDE]
        image[..., :, :STRIDE] += extended[..., :-STRIDE, -STRIDE:]
        image[..., :STRIDE, :STRIDE] += extended[..., -STRIDE:, -STRIDE:]
        return image
