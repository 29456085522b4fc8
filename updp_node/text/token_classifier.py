"""A token classification model in ONNX, run on one thread; nothing is fetched.

The only module of the text stage that imports onnxruntime and tokenizers, and only where a site
names a model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import ConfigError, InstanceError

Shares = NDArray[np.float32]
_INPUTS = frozenset({"input_ids", "attention_mask", "token_type_ids"})


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces that a tokenizer made of a text, and what the model says of each.

    Attributes
    ----------
    offsets : list of pairs
        Start and end of every piece.
    shares : numpy.ndarray
        One row a piece, one column a label; each row sums up to 1.
    """

    offsets: list[tuple[int, int]]
    shares: Shares

    @classmethod
    def none(cls, labels: int = 0) -> Pieces:
        """No pieces, of a text without any."""
        return cls([], np.zeros((0, labels), dtype=np.float32))


class TokenClassifier:
    """Reads a text of any length in windows that overlap; time grows with the text.

    Parameters
    ----------
    model, tokenizer : bytes
        ``model.onnx`` without external data, ``tokenizer.json``.
    labels : int
        How many labels the model tells apart.
    window : int
        Pieces that the model reads at once, special ones included.
    file : str
        What an error names.

    Raises
    ------
    ConfigError
        A package is not installed; the files cannot be loaded, or do not belong together.
    """

    def __init__(
        self, model: bytes, tokenizer: bytes, *, labels: int, window: int, file: str
    ) -> None:
        self._labels, self._overlap = labels, window // 4
        try:
            self._session = _open(model)
            self._tokenizer = _read_tokenizer(tokenizer, window, self._overlap)
        except ImportError as error:
            message = "a second NER needs the packages of the extra `ner`: updp-node[ner]"
            raise ConfigError(message, file=file, key=error.name) from None
        except Exception as error:  # noqa: BLE001  # both packages raise what they like
            message = f"model or tokenizer cannot be loaded: {type(error).__name__}"
            raise ConfigError(message, file=file) from None
        self._inputs = [each.name for each in self._session.get_inputs()]
        if not _INPUTS.issuperset(self._inputs):
            raise ConfigError("the model asks for other inputs than tokens", file=file)
        try:
            self.read("a " * window)
        except InstanceError as error:
            message = f"the model does not read {window} tokens as {labels} labels: {error}"
            raise ConfigError(message, file=file) from None

    def read(self, text: str) -> Pieces:
        """What the model says of every piece of a text.

        Raises
        ------
        InstanceError
            ``second-ner-failed``: it raises, or does not answer with numbers for every piece.
        """
        first = self._tokenizer.encode(text)
        offsets: list[tuple[int, int]] = []
        rows: list[Shares] = []
        inside: list[int] = []
        step = 0
        for number, encoding in enumerate((first, *first.overflowing)):
            own = [at for at, special in enumerate(encoding.special_tokens_mask) if not special]
            step = step or max(1, len(own) - self._overlap)
            shares = self._run(encoding)
            for at, depth in _depths(own):
                place = number * step + at - own[0]
                if place == len(rows):
                    offsets.append(encoding.offsets[at])
                    rows.append(shares[at])
                    inside.append(depth)
                elif depth > inside[place]:  # where the model sees more on both sides
                    rows[place], inside[place] = shares[at], depth
        return Pieces(offsets, np.stack(rows)) if rows else Pieces.none(self._labels)

    def _run(self, encoding: Any) -> Shares:
        values = {"input_ids": encoding.ids, "attention_mask": encoding.attention_mask,
                  "token_type_ids": encoding.type_ids}  # fmt: skip
        fed = {name: np.asarray([values[name]], dtype=np.int64) for name in self._inputs}
        try:
            answer = np.asarray(self._session.run(None, fed)[0], dtype=np.float32)
        except Exception as error:  # noqa: BLE001  # onnxruntime raises classes of its own
            raise InstanceError("second-ner-failed", type(error).__name__) from None
        if answer.shape != (1, len(encoding.ids), self._labels) or not np.isfinite(answer).all():
            raise InstanceError("second-ner-failed", f"answer of shape {answer.shape}")
        raised = np.exp(answer[0] - answer[0].max(axis=1, keepdims=True))
        shares: Shares = raised / raised.sum(axis=1, keepdims=True)
        return shares


def _open(model: bytes) -> Any:
    import onnxruntime  # noqa: PLC0415  # only where a site names a model

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4  # a message of its own could quote what it reads
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _read_tokenizer(content: bytes, window: int, overlap: int) -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415  # only where a site names a model

    tokenizer = Tokenizer.from_str(content.decode("utf-8"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(window, stride=overlap)
    return tokenizer


def _depths(own: list[int]) -> Iterator[tuple[int, int]]:
    """Places of a window, and how far each is from the nearer end."""
    for index, at in enumerate(own):
        yield at, min(index, len(own) - 1 - index)
