"""Whether an image is an upright frontal chest radiograph: a small convolutional network.

numpy only, so that a worker without torch can ask. Its error rates stand in docs/model-card.md.
"""

from __future__ import annotations

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from updp_node.pixels.weights import load_default_arrays

SIZE = 64
FRONTAL_FILE = "frontal.safetensors"
_CLIP = 3.0
Weights = dict[str, NDArray[np.float32]]


def looks_frontal_chest(display: NDArray[np.uint8]) -> bool:
    """Whether an image looks like an upright frontal chest radiograph.

    Parameters
    ----------
    display : ndarray of uint8, shape (rows, columns)
        MONOCHROME2.
    """
    if display.ndim != 2 or min(display.shape) < SIZE // 2 or float(display.std()) < 4:
        return False
    weights = load_default_arrays(FRONTAL_FILE)
    return score_frontal(display, weights) > float(weights["limit"][0])


def score_frontal(display: NDArray[np.uint8], weights: Weights) -> float:
    """Logit of "an upright frontal chest radiograph"."""
    stream = standardize(display)[None]
    for layer in range(sum(name.endswith(".kernel") for name in weights)):
        stream = _convolve(stream, weights[f"{layer}.kernel"], weights[f"{layer}.bias"])
    hidden = np.maximum(weights["enter"] @ stream.reshape(-1) + weights["enter.bias"], 0)
    return float(weights["leave"] @ hidden + weights["leave.bias"][0])


def standardize(display: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Average an image down to 64 x 64 with zero mean and unit spread, clipped at three."""
    reduced = Image.fromarray(display).resize((SIZE, SIZE), Image.Resampling.BOX)
    values = np.asarray(reduced, dtype=np.float32)
    standard = (values - values.mean()) / max(float(values.std()), 1.0)
    clipped: NDArray[np.float32] = np.clip(standard, -_CLIP, _CLIP).astype(np.float32)
    return clipped


def _convolve(
    stream: NDArray[np.float32], kernel: NDArray[np.float32], bias: NDArray[np.float32]
) -> NDArray[np.float32]:
    """3 x 3 with stride two over zero-padded channels, then nothing below zero."""
    padded = np.pad(stream, ((0, 0), (1, 1), (1, 1)))
    windows = sliding_window_view(padded, (3, 3), axis=(1, 2))[:, ::2, ::2]
    summed = np.tensordot(kernel, windows, axes=([1, 2, 3], [0, 3, 4]))
    rectified: NDArray[np.float32] = np.maximum(summed + bias[:, None, None], 0)
    return rectified
