"""What an image is compared by: a frozen encoder, L2-normalized, and Euclidean distance."""

from __future__ import annotations

import hashlib
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import ConfigError
from updp_node.evaluation.picture import resize

Features = NDArray[np.float32]


class Encoder(Protocol):
    """Turns displayed images into vectors; never trained by an evaluation."""

    @property
    def name(self) -> str:
        """As the report names it."""

    @property
    def digest(self) -> str:
        """Of the weights."""

    def encode(self, images: NDArray[np.uint8]) -> Features:
        """Encode.

        Parameters
        ----------
        images : ndarray of uint8, shape (n, rows, columns)

        Returns
        -------
        ndarray of float32, shape (n, dimension)
            Rows of length 1.
        """


class EigenEncoder:
    """Leading coefficients of the eigen-space that ships with the default generator."""

    name = "eigen-space"

    @property
    def digest(self) -> str:
        """Of the generator that the eigen-space belongs to."""
        from updp_node.pixels.weights import DEFAULT_FOLDER, digest_model  # noqa: PLC0415

        return digest_model(DEFAULT_FOLDER)

    def encode(self, images: NDArray[np.uint8]) -> Features:
        """Encode; see `Encoder.encode`."""
        from updp_node.pixels.detectors import describe  # noqa: PLC0415 - weights are read

        return normalize(np.stack([describe(image)[0] for image in images]))


class JointFeatures:
    """The project's frozen joint encoder of images and terms.

    Raises
    ------
    ConfigError
        When the model folder has none.
    """

    name = "joint encoder"

    def __init__(self) -> None:
        from updp_node.pixels.joint import load_encoder  # noqa: PLC0415 - torch

        self._encoder = load_encoder()

    @property
    def digest(self) -> str:
        """Of the weights."""
        return self._encoder.sha256

    def encode(self, images: NDArray[np.uint8]) -> Features:
        """Encode; see `Encoder.encode`."""
        return normalize(self._encoder.encode_images(list(images)))


def load_default_encoder() -> Encoder:
    """The joint encoder, or the eigen-space of the generator where the model has none."""
    try:
        return RememberingEncoder(JointFeatures())
    except ConfigError:
        return RememberingEncoder(EigenEncoder())


class RememberingEncoder:
    """Encodes every image once: several parts of an evaluation ask about the same ones.

    Parameters
    ----------
    encoder : Encoder
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._known: dict[bytes, Features] = {}

    @property
    def name(self) -> str:
        """Of the encoder."""
        return self._encoder.name

    @property
    def digest(self) -> str:
        """Of the encoder's weights."""
        return self._encoder.digest

    def encode(self, images: NDArray[np.uint8]) -> Features:
        """Encode; see `Encoder.encode`."""
        keys = [hashlib.sha256(image.tobytes()).digest() for image in images]
        fresh = {key: place for place, key in enumerate(keys) if key not in self._known}
        if fresh:
            vectors = self._encoder.encode(images[list(fresh.values())])
            self._known |= dict(zip(fresh, vectors, strict=True))
        return np.stack([self._known[key] for key in keys])


class PixelEncoder:
    """A small picture, its mean taken out: what needs no training at all."""

    name = "pixels"

    def __init__(self, side: int = 24) -> None:
        self._side = side

    @property
    def digest(self) -> str:
        """Of its only parameter."""
        return hashlib.sha256(f"pixels {self._side}".encode()).hexdigest()

    def encode(self, images: NDArray[np.uint8]) -> Features:
        """Encode; see `Encoder.encode`."""
        small = np.stack([resize(image, self._side).reshape(-1) for image in images])
        centred = small.astype(np.float32)
        return normalize(centred - centred.mean(1, keepdims=True))


def normalize(vectors: NDArray[np.float32]) -> Features:
    """Rows of length 1."""
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Features = (vectors / np.maximum(length, 1e-8)).astype(np.float32)
    return scaled


def measure_distances(first: Features, second: Features) -> NDArray[np.float32]:
    """Euclidean distance of every row of one set to every row of the other."""
    products = first @ second.T
    lengths = np.square(first).sum(1)[:, None] + np.square(second).sum(1)[None]
    squared: NDArray[np.float32] = np.maximum(lengths - 2 * products, 0).astype(np.float32)
    return np.sqrt(squared)
