"""The process that holds torch: what it loads, and the tasks that it is given.

A synthesis task holds a prompt and a seed; a suggestion task holds one image and the findings
of its report, stays in memory and is answered by a prompt. No task holds a header, a key or a
profile.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache

from updp_node.config.generators import SiteModel
from updp_node.model import Counterpart, Prompt
from updp_node.pixels.acceptance import Examiner, Floors
from updp_node.pixels.anonymity import Population, read_population
from updp_node.pixels.explanation import Explanation
from updp_node.pixels.generator import Generator, load_generator
from updp_node.pixels.joint import JointEncoder, load_encoder
from updp_node.pixels.optimization import Optimized
from updp_node.pixels.site.opening import load_vocabulary
from updp_node.pixels.suggestion import Question, answer, make_objective
from updp_node.pixels.synthesis import draw_candidates
from updp_node.pixels.synthesis import synthesize as draw
from updp_node.pixels.vocabulary import Vocabulary
from updp_node.pixels.weights import DEFAULT_FOLDER, read_manifest


@dataclass(frozen=True)
class Tools:
    """What a process that draws must load.

    Attributes
    ----------
    model : str
        Name of the generator.
    source : DiffusersGenerator or ExternalGenerator or None
        The site's own, as the configuration has it.
    """

    model: str = "default"
    source: SiteModel | None = None


@dataclass(frozen=True, slots=True)
class SynthesisTask:
    """A counterpart to be made. The generator learns `prompt` and `seed`, nothing else."""

    tools: Tools
    prompt: Prompt
    seed: int
    max_candidates: int = 4
    threads: int = 2


@dataclass(frozen=True, slots=True)
class SuggestionTask:
    """A prompt to be found."""

    tools: Tools
    question: Question = field(repr=False)
    threads: int = 2


@dataclass(frozen=True, slots=True)
class ExplanationTask:
    """A counterpart to be explained; `question` is None where the rules made its prompt."""

    order: SynthesisTask
    question: Question | None = field(default=None, repr=False)


def synthesize(task: SynthesisTask) -> Counterpart:
    """Make a counterpart.

    Raises
    ------
    InstanceError
        ``no-acceptable-counterpart``.
    """
    return draw(
        _generator(task.tools, task.threads), task.prompt, seed=task.seed,
        max_candidates=task.max_candidates, examiner=_examiner(task.tools, task.threads),
    )  # fmt: skip


def explain(task: ExplanationTask) -> Explanation:
    """Every candidate that `synthesize` looks at, and how the prompt was found."""
    order, question = task.order, task.question
    generator = _generator(order.tools, order.threads)
    drawn = draw_candidates(
        generator, order.prompt, seed=order.seed, max_candidates=order.max_candidates,
        examiner=_examiner(order.tools, order.threads),
    )  # fmt: skip
    candidates, bound = tuple(drawn), generator.vocabulary.bound()
    if question is None:
        return Explanation(order.prompt, bound, candidates)
    encoder, vocabulary = _encoder(order.threads), read_vocabulary(order.tools)
    objective = make_objective(question, vocabulary, encoder, _read_limits())
    likeness = tuple(
        float(objective.image @ encoder.encode_image(each.pixels)) for each in candidates
    )
    found = answer(question, vocabulary, encoder, _read_limits())
    aligned = objective.score(order.prompt.terms)
    return Explanation(order.prompt, bound, candidates, likeness, found, aligned)


def suggest(task: SuggestionTask) -> Optimized:
    """Find the prompt that fits an image and its report best.

    Raises
    ------
    InstanceError
        ``prompt-contradicts-report``.
    ConfigError
        The model has no encoder.
    """
    vocabulary, encoder = read_vocabulary(task.tools), _encoder(task.threads)
    return answer(task.question, vocabulary, encoder, _read_limits())


def load_tools(tools: Tools, threads: int) -> None:
    """Load generator and encoder, so that the first image does not wait for them."""
    _generator(tools, threads)
    _examiner(tools, threads)


@lru_cache(maxsize=4)
def read_vocabulary(tools: Tools) -> Vocabulary:
    """The words that a generator renders; imports no torch."""
    return load_vocabulary(tools.source)


@lru_cache(maxsize=4)
def count_population(tools: Tools) -> Population:
    """How common the prompts of a generator are in the public population; imports no torch."""
    return read_population(read_vocabulary(tools))


def has_encoder() -> bool:
    """Whether the shipped model has a joint encoder, so that prompts can be optimized."""
    return "encoder" in read_manifest(DEFAULT_FOLDER)


@lru_cache(maxsize=1)
def _generator(tools: Tools, threads: int) -> Generator:
    return load_generator(tools.model, threads=threads, source=tools.source)


@lru_cache(maxsize=1)
def _encoder(threads: int) -> JointEncoder:
    return load_encoder(threads=threads)


@lru_cache(maxsize=1)
def _read_limits() -> dict[str, float]:
    """From which probability a finding head of the shipped encoder counts."""
    heads = read_manifest(DEFAULT_FOLDER).get("acceptance", {}).get("heads", {})
    return {name: float(each["limit"]) for name, each in heads.items()}


@lru_cache(maxsize=1)
def _examiner(tools: Tools, threads: int) -> Examiner:
    encoder = _encoder(threads) if has_encoder() else None
    floors = Floors.read(read_manifest(DEFAULT_FOLDER)) if tools.source is None else Floors()
    return Examiner(tools.model, encoder, floors, read_vocabulary(tools).findings)
