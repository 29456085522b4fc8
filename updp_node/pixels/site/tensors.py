"""The header of a safetensors file, checked before any library reads it.

References
----------
The safetensors format: eight bytes of length, little endian; a JSON object of names to
``dtype``, ``shape``, ``data_offsets``; then the data, without gaps.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from math import prod
from typing import Any

from updp_node.pixels.site.strict import UntrustedFileError, read_object

MAX_HEADER_BYTES = 25 << 20
MAX_TENSORS = 50_000
MAX_DIMENSIONS = 8
_BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "F8_E4M3": 8, "F8_E5M2": 8, "I16": 16, "U16": 16, "F16": 16,
    "BF16": 16, "I32": 32, "U32": 32, "F32": 32, "F64": 64, "I64": 64, "U64": 64,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tensors:
    """What the header of a safetensors file says.

    Attributes
    ----------
    names : tuple of str
    dtypes : tuple of (str, int)
        Type and how many tensors have it.
    parameters : int
        Numbers in all tensors together.
    """

    names: tuple[str, ...]
    dtypes: tuple[tuple[str, int], ...]
    parameters: int


def read_tensors(handle: int, size_bytes: int) -> Tensors:
    """Check the header of an open safetensors file.

    Parameters
    ----------
    handle : int
        File descriptor; only `os.pread` is used.
    size_bytes : int
        Of the whole file.

    Raises
    ------
    UntrustedFileError
        The header is larger than `MAX_HEADER_BYTES`, no strict JSON, or its offsets leave the
        file, overlap, leave gaps or disagree with type and shape.
    """
    prefix = os.pread(handle, 8, 0)
    length = int.from_bytes(prefix, "little")
    if len(prefix) < 8 or length > size_bytes - 8:
        raise UntrustedFileError("a header longer than the file")
    if length > MAX_HEADER_BYTES:
        raise UntrustedFileError(f"a header of more than {MAX_HEADER_BYTES >> 20} MiB")
    header = read_object(os.pread(handle, length, 8), limit=MAX_HEADER_BYTES)
    _check_metadata(header.pop("__metadata__", {}))
    if len(header) > MAX_TENSORS:
        raise UntrustedFileError(f"more than {MAX_TENSORS} tensors")
    spans = sorted(_span(entry) for entry in header.values())
    end = 0
    for start, stop in spans:
        if start != end:
            raise UntrustedFileError("tensors that overlap or leave gaps")
        end = stop
    if end != size_bytes - 8 - length:
        raise UntrustedFileError("tensors that do not fill the file")
    counted = Counter(str(entry["dtype"]) for entry in header.values())
    parameters = sum(prod(entry["shape"]) for entry in header.values())
    return Tensors(tuple(sorted(header)), tuple(sorted(counted.items())), parameters)


def _span(entry: Any) -> tuple[int, int]:
    """First and last byte of a tensor, in agreement with its type and shape."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise UntrustedFileError("a tensor without dtype, shape and data_offsets")
    shape, offsets = entry["shape"], entry["data_offsets"]
    if not _are_counts(shape) or len(shape) > MAX_DIMENSIONS:
        raise UntrustedFileError("a tensor of an odd shape")
    if not _are_counts(offsets) or len(offsets) != 2:
        raise UntrustedFileError("a tensor with odd offsets")
    if entry["dtype"] not in _BITS:
        raise UntrustedFileError("a tensor of an unknown type")
    start, stop = offsets
    if (stop - start) * 8 != prod(shape) * _BITS[entry["dtype"]]:
        raise UntrustedFileError("a tensor whose size disagrees with its shape")
    return start, stop


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(
        isinstance(each, int) and not isinstance(each, bool) and 0 <= each < 2**48 for each in value
    )


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise UntrustedFileError("metadata that is no map of strings")
