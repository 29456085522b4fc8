"""Draw candidates until one is acceptable; every test looks at prompt and model only.

Because no test looks at the source, the choice among candidates tells nothing of the patient:
the bits of a counterpart are those of its prompt.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import InstanceError
from updp_node.model import Counterpart, Prompt
from updp_node.pixels.detectors import describe, looks_frontal_chest
from updp_node.pixels.generator import Generator
from updp_node.pixels.weights import DEFAULT_FOLDER, load_default_arrays, read_manifest

_CODES = "codes.safetensors"


def synthesize(
    generator: Generator, prompt: Prompt, *, seed: int, max_candidates: int = 4
) -> Counterpart:
    """Draw the counterpart of a prompt.

    Parameters
    ----------
    generator : Generator
    prompt : Prompt
        As `updp_node.pixels.prompt.build_prompt` made it.
    seed : int
        0 to 2**63 - 1, from the operating system's random source, never of the patient.
    max_candidates : int
        Further seeds are derived from the first.

    Returns
    -------
    Counterpart

    Raises
    ------
    InstanceError
        ``no-acceptable-counterpart`` after `max_candidates`; the detail counts the faults.
    """
    faults: list[str] = []
    for number in range(max_candidates):
        pixels = generator.generate(prompt, derive_seed(seed, number))
        fault = find_fault(pixels, prompt, model=generator.name)
        if fault is None:
            return Counterpart(
                pixels=pixels,
                prompt=prompt,
                model_name=generator.name,
                model_sha256=generator.sha256,
                bits=generator.vocabulary.count_bits(),
                candidates=number + 1,
            )
        faults.append(fault)
    counted = " ".join(f"{fault}={faults.count(fault)}" for fault in sorted(set(faults)))
    raise InstanceError("no-acceptable-counterpart", counted)


def derive_seed(seed: int, number: int) -> int:
    """Seed of a candidate: the first is the caller's, the others follow from it."""
    if number == 0:
        return seed
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def find_fault(pixels: NDArray[np.uint8], prompt: Prompt, *, model: str) -> str | None:
    """Say why a candidate is refused, or None.

    Parameters
    ----------
    pixels : ndarray of uint8, shape (rows, columns)
    prompt : Prompt
    model : str
        Name of the generator; the training codes at hand are those of ``default``.

    Returns
    -------
    str or None
        ``blank``, ``not-frontal-chest`` or ``near-copy``.
    """
    if float(pixels.std()) < 8:
        return "blank"
    if not looks_frontal_chest(pixels):
        return "not-frontal-chest"
    if model == "default" and measure_nearest(pixels, prompt) < _read_floor(prompt):
        return "near-copy"
    return None


def measure_nearest(pixels: NDArray[np.uint8], prompt: Prompt) -> float:
    """Distance to the nearest training image of the prompt's band, in eigen-space units."""
    table = load_default_arrays(_CODES)[_band(prompt)]
    code = describe(pixels)[0][: table.shape[1]]
    return float(np.sqrt(np.square(table - code).sum(axis=1).min()))


def _read_floor(prompt: Prompt) -> float:
    """Nine of ten real images of strangers lie farther from every training image than this."""
    return float(read_manifest(DEFAULT_FOLDER)["nearest"]["floor"][_band(prompt)])


def _band(prompt: Prompt) -> str:
    return "child" if "child" in prompt.terms else "adult"
