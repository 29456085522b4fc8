"""Small readers of a displayed image; numpy only.

In the shipped eigen-space they say whether a chest is a child's, and, where no report exists,
what finding the image itself suggests. Their error rates stand in docs/model-card.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from updp_node.model import Certainty, Finding
from updp_node.pixels.frontal import looks_frontal_chest
from updp_node.pixels.weights import load_default_arrays

__all__ = ["describe", "looks_child", "looks_frontal_chest", "read_image", "read_score"]

SIZE = 64
LEADING = 256
_SPACE = "eigenspace.safetensors"
_READERS = "readers.safetensors"


def describe(display: NDArray[np.uint8]) -> tuple[NDArray[np.float32], float]:
    """Coefficients of an image in the eigen-space, and how much of it lies outside.

    Contrast and brightness are normalized first, so that another window changes little.

    Parameters
    ----------
    display : ndarray of uint8, shape (rows, columns)
        MONOCHROME2.

    Returns
    -------
    coefficients : ndarray of float32, shape (256,)
        The leading ones, whitened.
    residual : float
        Share of the variance that those coefficients do not explain, 0..1.
    """
    space = load_default_arrays(_SPACE)
    reduced = Image.fromarray(display).resize((SIZE, SIZE), Image.Resampling.BOX)
    flat = np.asarray(reduced, dtype=np.float32).reshape(-1) / 255
    spread = float(flat.std())
    mean_spread = float(space["display"][1])
    flat = (flat - flat.mean()) / max(spread, 1e-3) * mean_spread + space["display"][0]
    centred = flat - space["mean"]
    projected = space["basis"][:LEADING] @ centred
    total = float(np.square(centred).sum()) + 1e-9
    outside = 1.0 - float(np.square(projected).sum()) / total
    return (projected / space["scale"][:LEADING]).astype(np.float32), max(outside, 0.0)


def read_image(display: NDArray[np.uint8], *, child: bool = False) -> tuple[Finding, ...]:
    """Read what the image itself suggests, for a study without a report.

    Parameters
    ----------
    display : ndarray of uint8, shape (rows, columns)
        MONOCHROME2.
    child : bool
        Which of the two readers: children and adults were trained apart.

    Returns
    -------
    tuple of Finding
        One finding, ``pneumonia``, present or absent.
    """
    name = "pneumonia_child" if child else "pneumonia_adult"
    limit = float(load_default_arrays(_READERS)[f"{name}.limit"][0])
    present = read_score(display, name) > limit
    return (Finding("pneumonia", Certainty.PRESENT if present else Certainty.ABSENT),)


def looks_child(display: NDArray[np.uint8]) -> bool:
    """Whether a chest looks like the training set's children; for studies without an age."""
    return read_score(display, "child") > float(load_default_arrays(_READERS)["child.limit"][0])


def read_score(display: NDArray[np.uint8], reader: str) -> float:
    """Logit of a reader (``child``, ``pneumonia_adult``, ``pneumonia_child``)."""
    coefficients, residual = describe(display)
    return _score(load_default_arrays(_READERS), reader, coefficients, residual)


def _score(
    readers: dict[str, NDArray[Any]], name: str, coefficients: NDArray[np.float32], residual: float
) -> float:
    """Logit of one reader: a hidden layer over the leading coefficients and the residual."""
    enter, leave = readers[f"{name}.enter"], readers[f"{name}.leave"]
    used = enter.shape[1] - 2
    features = np.concatenate([np.tanh(coefficients[:used] / 3) * 3, [10 * residual, 1.0]])
    hidden = np.maximum(enter @ features, 0.0)
    return float(leave[:-1] @ hidden + leave[-1])
