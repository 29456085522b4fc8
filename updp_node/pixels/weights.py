"""The files of a shipped model: one manifest, safetensors, every digest checked."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import ConfigError

DEFAULT_FOLDER = Path(__file__).parent / "models" / "default"
MANIFEST = "model.json"
FORMAT = 1


def read_manifest(folder: Path) -> dict[str, Any]:
    """Read a manifest.

    Raises
    ------
    ConfigError
        When it is absent, no JSON, or of another format.
    """
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"cannot be read: {type(error).__name__}", file=str(path)) from None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise ConfigError(f"is not of format {FORMAT}", file=str(path), key="format")
    return manifest


def digest_model(folder: Path) -> str:
    """SHA-256 of the manifest, which names the digest of every weight file."""
    return hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()


def read_arrays(folder: Path, name: str) -> dict[str, NDArray[Any]]:
    """Read one weight file after its digest was found right.

    Parameters
    ----------
    folder : pathlib.Path
    name : str
        File name as the manifest has it.

    Returns
    -------
    dict of str to ndarray
        As float32; a matrix of signed bytes is multiplied by its step per row.

    Raises
    ------
    ConfigError
        When the manifest does not name the file, or its size or digest differs.
    """
    from safetensors.numpy import load  # noqa: PLC0415 - only where a model is used

    stored = load(read_checked(folder, name))
    arrays = {}
    for key, value in stored.items():
        step = stored.get(f"{key}.step", np.float32(1))
        arrays[key] = value.astype(np.float32) * step
    return arrays


def read_checked(folder: Path, name: str) -> bytes:
    """Bytes of one weight file whose SHA-256 the manifest names.

    Raises
    ------
    ConfigError
        When the manifest does not name the file, or its digest differs.
    """
    expected = read_manifest(folder)["files"].get(name, {}).get("sha256")
    path = folder / name
    if expected is None:
        raise ConfigError("is not named in the manifest", file=str(path))
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(f"cannot be read: {type(error).__name__}", file=str(path)) from None
    if hashlib.sha256(content).hexdigest() != expected:
        raise ConfigError("differs from the digest in the manifest", file=str(path), key="sha256")
    return content


@lru_cache(maxsize=8)
def load_default_arrays(name: str) -> dict[str, NDArray[Any]]:
    """Arrays of a file of the default model, read once per process; treat as read-only."""
    arrays = read_arrays(DEFAULT_FOLDER, name)
    for value in arrays.values():
        value.setflags(write=False)
    return arrays
