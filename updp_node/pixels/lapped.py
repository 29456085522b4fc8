"""The lapped orthogonal transform that carries the fine detail of a counterpart.

A block transform cuts an image into tiles and leaves their edges visible once coefficients
are drawn by a model. Each basis function here is 16 pixels wide and overlaps its neighbours
by half, so that no tile edge exists; the transform is orthonormal and needs no training.

References
----------
H. S. Malvar and D. H. Staelin, "The LOT: transform coding without blocking effects",
IEEE Transactions on Acoustics, Speech and Signal Processing 37(4), 1989.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

STRIDE = 8
WIDTH = 2 * STRIDE


def build_lapped_kernels() -> NDArray[np.float32]:
    """Build the separable two-dimensional basis.

    Returns
    -------
    ndarray of float32, shape (64, 16, 16)
        Orthonormal under circular extension at stride 8 in both directions.
    """
    rows = _basis_1d()
    kernels = np.einsum("ai,bj->abij", rows, rows)
    flat: NDArray[np.float32] = kernels.reshape(-1, WIDTH, WIDTH).astype(np.float32)
    return flat


def _basis_1d() -> NDArray[np.float64]:
    """Eight basis functions of sixteen samples, rows orthonormal also between shifts."""
    sample = np.arange(STRIDE)
    frequency = sample[:, None]
    dct = np.sqrt(2 / STRIDE) * np.cos(np.pi * (2 * sample + 1) * frequency / (2 * STRIDE))
    dct[0] /= np.sqrt(2)
    difference = dct[0::2] - dct[1::2]
    mirrored = difference[:, ::-1]
    return 0.5 * np.block([[difference, mirrored], [difference, -mirrored]])
