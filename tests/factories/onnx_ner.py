"""A token classifier in ONNX, small enough to be written by hand, and a card that names it.

Its words are one-hot vectors, and one convolution over three of them answers: what a word is by
itself, and what it is after another. The file is written as protocol buffers, field by field.

References
----------
onnx.proto3 of the Open Neural Network Exchange; Protocol Buffers: encoding.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import yaml
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors

FILES = ("model.onnx", "config.json", "tokenizer.json")
_FLOAT, _INT64, _INTS = 1, 7, 7
SPECIAL = ("[UNK]", "[CLS]", "[SEP]")
_SURE, _DOUBT = 9.0, 4.0


def write_ner(
    folder: Path, words: Sequence[str], labels: Sequence[str], *,
    by_itself: Mapping[str, str], after: Mapping[str, str], before: Mapping[str, str] | None = None,
    inputs: Sequence[str] = ("input_ids", "attention_mask"), sure: float = _SURE,
) -> Path:  # fmt: skip
    """A model that knows some words.

    Parameters
    ----------
    labels : sequence of str
        The first is for all that is none.
    by_itself, after, before : Mapping of str to str
        Label of a word; of whatever stands after a word; of whatever stands before one.
    sure : float
        Logit of what it knows; that of nothing is 4 everywhere.
    """
    folder.mkdir(parents=True, exist_ok=True)
    known = [*SPECIAL, *words]
    weights = np.zeros((len(labels), len(known), 3), dtype=np.float32)
    for word, label in by_itself.items():
        weights[labels.index(label), known.index(word), 1] = sure
    for word, label in after.items():
        weights[labels.index(label), known.index(word), 0] = sure
    for word, label in (before or {}).items():
        weights[labels.index(label), known.index(word), 2] = sure
    bias = np.eye(1, len(labels), dtype=np.float32)[0] * _DOUBT
    (folder / "model.onnx").write_bytes(_model(weights, bias, inputs))
    named = {str(number): label for number, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps({"id2label": named}), "utf-8")
    _tokenizer(known).save(str(folder / "tokenizer.json"))
    return folder


def write_card(site: Path, model: Path, labels: Mapping[str, str], **more: object) -> Path:
    """``second_ner.yaml`` of a site for a model, with the digests of its files."""
    site.mkdir(parents=True, exist_ok=True)
    digests = {name: hashlib.sha256((model / name).read_bytes()).hexdigest() for name in FILES}
    content = {
        "category": "second-ner", "source": "made by a test", "licence": "Apache-2.0",
        "version": "1.0.0", "language": "es", "folder": str(model), "sha256": digests,
        "labels": dict(labels), **more,
    }  # fmt: skip
    file = site / "second_ner.yaml"
    file.write_text(yaml.safe_dump(content), "utf-8")
    return file


def _tokenizer(known: Sequence[str]) -> Tokenizer:
    numbers = {word: number for number, word in enumerate(known)}
    tokenizer = Tokenizer(models.WordLevel(numbers, unk_token=SPECIAL[0]))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 1), ("[SEP]", 2)]
    )
    return tokenizer


def _model(weights: NDArray[np.float32], bias: NDArray[np.float32], inputs: Sequence[str]) -> bytes:
    words = np.eye(weights.shape[1], dtype=np.float32)
    turn = _ints("perm", (0, 2, 1))
    nodes = [
        _node("Gather", ("words", inputs[0]), "vectors"),
        _node("Transpose", ("vectors",), "columns", turn),
        _node("Conv", ("columns", "weights", "bias"), "answers", _ints("pads", (1, 1))),
        _node("Transpose", ("answers",), "logits", turn),
    ]
    tensors = {"words": words, "weights": weights, "bias": bias}
    graph = (
        b"".join(_field(1, node) for node in nodes)
        + _field(2, b"ner")
        + b"".join(_field(5, _tensor(name, values)) for name, values in tensors.items())
        + b"".join(_field(11, _value(name, _INT64, 2)) for name in inputs)
        + _field(12, _value("logits", _FLOAT, 3))
    )
    return _number(1, 8) + _field(7, graph) + _field(8, _number(2, 17))


def _node(operation: str, inputs: Sequence[str], output: str, attribute: bytes = b"") -> bytes:
    made = b"".join(_field(1, name.encode()) for name in inputs)
    made += _field(2, output.encode()) + _field(4, operation.encode())
    return made + (_field(5, attribute) if attribute else b"")


def _ints(name: str, values: Sequence[int]) -> bytes:
    numbers = b"".join(_number(8, value) for value in values)
    return _field(1, name.encode()) + numbers + _number(20, _INTS)


def _tensor(name: str, values: NDArray[np.float32]) -> bytes:
    sizes = b"".join(_number(1, size) for size in values.shape)
    raw = struct.pack(f"<{values.size}f", *values.ravel())
    return sizes + _number(2, _FLOAT) + _field(8, name.encode()) + _field(9, raw)


def _value(name: str, kind: int, dimensions: int) -> bytes:
    shape = b"".join(_field(1, _field(2, f"{name}{at}".encode())) for at in range(dimensions))
    return _field(1, name.encode()) + _field(2, _field(1, _number(1, kind) + _field(2, shape)))


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _number(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 127:
        made.append(value & 127 | 128)
        value >>= 7
    return bytes([*made, value])
