"""Draw candidates until one is acceptable; every test looks at prompt and model only.

Because no test looks at the source, the choice among candidates tells nothing of the patient:
the bits of a counterpart are those of its prompt, and of the outcome that there is one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from updp_node.errors import InstanceError
from updp_node.model import Counterpart, Prompt
from updp_node.pixels.acceptance import Examiner, Verdict, find_fault, measure_nearest
from updp_node.pixels.generator import Generator

__all__ = [
    "Candidate",
    "derive_seed",
    "draw_candidates",
    "find_fault",
    "measure_nearest",
    "synthesize",
]


@dataclass(frozen=True, slots=True)
class Candidate:
    """One drawn image and what the tests say of it."""

    pixels: NDArray[np.uint8]
    seed: int
    verdict: Verdict


def draw_candidates(
    generator: Generator, prompt: Prompt, *, seed: int, max_candidates: int, examiner: Examiner
) -> Iterator[Candidate]:
    """Draw and judge candidates, the accepted one last.

    Parameters
    ----------
    generator : Generator
    prompt : Prompt
    seed : int
        Further seeds are derived from it.
    max_candidates : int
    examiner : Examiner
    """
    for number in range(max_candidates):
        own = derive_seed(seed, number)
        pixels = generator.generate(prompt, own)
        verdict = examiner.judge(pixels, prompt)
        yield Candidate(pixels, own, verdict)
        if verdict.fault is None:
            return


def synthesize(
    generator: Generator, prompt: Prompt, *, seed: int, max_candidates: int = 4,
    examiner: Examiner | None = None,
) -> Counterpart:  # fmt: skip
    """Draw the counterpart of a prompt.

    Parameters
    ----------
    generator : Generator
    prompt : Prompt
        Whole terms of the generator's vocabulary.
    seed : int
        0 to 2**63 - 1, from the operating system's random source, never of the patient.
    max_candidates : int
        Further seeds are derived from the first.
    examiner : Examiner, optional
        Tests without an encoder if absent.

    Returns
    -------
    Counterpart

    Raises
    ------
    InstanceError
        ``no-acceptable-counterpart`` after `max_candidates`; the detail counts the faults.
    """
    judge = examiner or Examiner(generator.name)
    drawn = draw_candidates(
        generator, prompt, seed=seed, max_candidates=max_candidates, examiner=judge
    )
    faults: list[str] = []
    for number, candidate in enumerate(drawn, start=1):
        if candidate.verdict.fault is None:
            return Counterpart(
                pixels=candidate.pixels,
                prompt=prompt,
                model_name=generator.name,
                model_sha256=generator.sha256,
                bound=generator.vocabulary.bound(),
                candidates=number,
            )
        faults.append(candidate.verdict.fault)
    raise InstanceError("no-acceptable-counterpart", count_faults(faults))


def count_faults(faults: Sequence[str]) -> str:
    """Faults with their counts, sorted."""
    return " ".join(f"{fault}={faults.count(fault)}" for fault in sorted(set(faults)))


def derive_seed(seed: int, number: int) -> int:
    """Seed of a candidate: the first is the caller's, the others follow from it."""
    if number == 0:
        return seed
    digest = hashlib.sha256(f"{seed}:{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
