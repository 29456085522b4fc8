"""The joint encoder: one space for images and for sets of whole whitelist terms.

Content optimization, semantic alignment, finding agreement and the evaluation see images only
through this Protocol. torch is imported when an encoder is loaded, not before.

References
----------
A. Radford et al., "Learning Transferable Visual Models From Natural Language Supervision",
arXiv 2103.00020; P. Khosla et al., "Supervised Contrastive Learning", arXiv 2004.11362.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from updp_node.pixels.weights import DEFAULT_FOLDER

if TYPE_CHECKING:
    from torch import nn


class JointEncoder(Protocol):
    """Sees an image and a set of terms as points of one sphere, and reads findings."""

    text_tower: nn.Module
    """(batch, n, E) term embeddings and an optional mask (batch, n) of the terms that count
    -> (batch, D) of unit norm; differentiable in the embeddings."""

    @property
    def sha256(self) -> str:
        """Digest of the weights."""

    @property
    def terms(self) -> tuple[str, ...]:
        """Whole whitelist terms that it embeds; a superset of the rendered vocabulary."""

    @property
    def term_embeddings(self) -> NDArray[np.float32]:
        """Shape (terms, E): the rows that a solver projects onto."""

    def encode_image(self, display: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Encode a MONOCHROME2 image of any size as (D,) of unit norm."""

    def encode_images(self, displays: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Encode several images as (images, D), rows of unit norm."""

    def encode_terms(self, terms: Sequence[str]) -> NDArray[np.float32]:
        """Encode a set of terms as (D,) of unit norm; their order does not matter.

        Raises
        ------
        ValueError
            For a term that is not in `terms`, or for no term at all.
        """

    def read_findings(self, display: NDArray[np.uint8]) -> Mapping[str, float]:
        """Probability of every finding that has a head."""


def load_encoder(folder: Path = DEFAULT_FOLDER, *, threads: int | None = None) -> JointEncoder:
    """Load the encoder of a model folder.

    Parameters
    ----------
    folder : pathlib.Path
        Manifest and safetensors.
    threads : int, optional
        CPU threads of torch, for the whole process; torch's own choice if absent.

    Raises
    ------
    ConfigError
        When the folder has no encoder, or a file differs from the digest in the manifest.
    """
    from updp_node.pixels.encoder import ShippedEncoder  # noqa: PLC0415 - torch only when needed

    return ShippedEncoder(folder, threads=threads)
