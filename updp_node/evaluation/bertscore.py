"""BERTScore with an encoder that lies on this machine; nothing is fetched.

Greedy matching of token vectors by their cosine, without weights of rarity and without rescaling;
the last hidden layer is used, and the marks at both ends of a text are left out.

References
----------
T. Zhang et al., "BERTScore: Evaluating Text Generation with BERT", ICLR 2020, equations 1 to 3.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModel, AutoTokenizer

from updp_node.errors import ConfigError


def score_pairs(pairs: Sequence[tuple[str, str]], weights: Path) -> list[float]:
    """F1 of every pair of a candidate and its reference; 0 where either is empty.

    Parameters
    ----------
    pairs : sequence of (str, str)
    weights : pathlib.Path
        Folder of an encoder and its tokenizer, as the package transformers saves them.

    Raises
    ------
    ConfigError
        The folder does not hold them.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(weights, local_files_only=True)
        model = AutoModel.from_pretrained(weights, local_files_only=True, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise ConfigError("holds no encoder of transformers", file=str(weights)) from error
    model.eval()
    longest = int(getattr(model.config, "max_position_embeddings", 512))
    return [
        _match(_encode(one, tokenizer, model, longest), _encode(other, tokenizer, model, longest))
        for one, other in pairs
    ]


@torch.inference_mode()
def _encode(text: str, tokenizer: Any, model: Any, longest: int) -> Tensor:
    """Vectors of length 1, one a token; a text longer than the encoder reads is cut."""
    read = tokenizer(text, return_tensors="pt", truncation=True, max_length=longest)
    hidden: Tensor = model(**read).last_hidden_state[0, 1:-1]
    return torch.nn.functional.normalize(hidden, dim=1)


def _match(candidate: Tensor, reference: Tensor) -> float:
    if not len(candidate) or not len(reference):
        return 0.0
    likeness = candidate @ reference.T
    precision = float(likeness.max(dim=1).values.mean())
    recall = float(likeness.max(dim=0).values.mean())
    return 2 * precision * recall / (precision + recall) if precision + recall > 0 else 0.0
