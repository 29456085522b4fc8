"""The generative filter step by step: what one chest radiograph costs, and how many a second.

``python -m tests.benchmarks.synthesis [--quick]``. Each row is measured in a process of its own
with the threads named, after one image to warm up; peak memory is that of the process. Batch 8
draws eight prompts at once with the networks of the default generator: the node does not, since
the pixels of one patient would then depend, in their last bits, on who else is in the batch.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

PARTS = ("encode", "optimize, beam", "optimize, pez", "generate", "accept", "whole line", "batch 8")


def measure(part: str, threads: int, count: int) -> dict[str, float]:
    """Seconds of one image, clock and processor, and peak memory of this process in MB."""
    work = _PARTS[part](threads)
    work(0)
    images = count * (8 if part == "batch 8" else 1)
    started, spent = time.monotonic(), time.process_time()
    for number in range(1, count + 1):
        work(number)
    return {
        "seconds": (time.monotonic() - started) / images,
        "processor": (time.process_time() - spent) / images,
        "mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3,
    }


def _encode(threads: int) -> Callable[[int], object]:
    from updp_node.pixels.joint import load_encoder  # noqa: PLC0415

    encoder, display = load_encoder(threads=threads), _display()
    return lambda _: encoder.encode_image(display)


def _optimize(solver: str) -> Callable[[int], Callable[[int], object]]:
    def prepare(threads: int) -> Callable[[int], object]:
        from updp_node.pixels.optimization import Settings  # noqa: PLC0415
        from updp_node.pixels.suggestion import Question  # noqa: PLC0415
        from updp_node.pixels.workshop import SuggestionTask, Tools, suggest  # noqa: PLC0415

        question = Question(_display(), (), False, 50, "PA", Settings(solver))  # type: ignore[arg-type]
        return lambda _: suggest(SuggestionTask(Tools(), question, threads))

    return prepare


def _generate(threads: int) -> Callable[[int], object]:
    from updp_node.pixels.generator import load_generator  # noqa: PLC0415

    generator = load_generator("default", threads=threads)
    prompts = generator.vocabulary.list_prompts()
    return lambda number: generator.generate(prompts[number % len(prompts)], number)


def _accept(threads: int) -> Callable[[int], object]:
    from updp_node.pixels import workshop  # noqa: PLC0415

    tools = workshop.Tools()
    workshop.load_tools(tools, threads)
    generator, examiner = workshop._generator(tools, threads), workshop._examiner(tools, threads)
    prompt = generator.vocabulary.list_prompts()[1]
    pixels = generator.generate(prompt, 1)
    return lambda _: examiner.judge(pixels, prompt)


def _line(threads: int) -> Callable[[int], object]:
    """Encode, optimize, 20 steps, accept, with the retries that it takes."""
    from updp_node.errors import InstanceError  # noqa: PLC0415
    from updp_node.pixels import workshop  # noqa: PLC0415
    from updp_node.pixels.optimization import Settings  # noqa: PLC0415
    from updp_node.pixels.suggestion import Question  # noqa: PLC0415

    tools = workshop.Tools()
    question = Question(_display(), (), False, 50, "PA", Settings())

    def work(number: int) -> object:
        prompt = workshop.suggest(workshop.SuggestionTask(tools, question, threads)).prompt
        task = workshop.SynthesisTask(tools, prompt, number, 16, threads)
        try:
            return workshop.synthesize(task)
        except InstanceError as refused:
            return refused

    return work


def _batch(threads: int) -> Callable[[int], object]:
    import torch  # noqa: PLC0415
    from diffusers import DDIMScheduler  # noqa: PLC0415

    from updp_node.pixels.generator import DefaultGenerator  # noqa: PLC0415
    from updp_node.pixels.network import COARSE_SIZE  # noqa: PLC0415
    from updp_node.pixels.sampling import _denoise  # noqa: PLC0415

    sampler: Any = DefaultGenerator(threads=threads)._sampler
    make: Callable[..., Any] = DDIMScheduler
    terms = torch.zeros(8, _count_terms())
    terms[:, 0] = 1

    @torch.inference_mode()
    def work(number: int) -> object:
        dice = torch.Generator().manual_seed(number)
        prompts = torch.cat([terms, torch.zeros_like(terms)])

        def predict(noisy: Any, step: Any) -> Any:
            told, untold = sampler._coarse(noisy.repeat(2, 1), step.repeat(16), prompts).chunk(2)
            return untold + 1.3 * (told - untold)

        scheduler = make(**sampler._schedule, timestep_spacing="trailing", clip_sample=False)
        noise = torch.randn(8, sampler._space["scale"].shape[0], generator=dice)
        codes = _denoise(scheduler, predict, noise, int(sampler._sampling["coarse_steps"]))
        flat = codes * sampler._space["scale"] @ sampler._space["basis"] + sampler._space["mean"]
        grain = torch.randn(8, 2, COARSE_SIZE, COARSE_SIZE, generator=dice)
        coarse = flat.reshape(8, 1, COARSE_SIZE, COARSE_SIZE)
        return sampler._texture(coarse, torch.zeros(8), grain)

    return work


def _count_terms() -> int:
    from updp_node.pixels.filter import load_default_vocabulary  # noqa: PLC0415

    return len(load_default_vocabulary().terms)


def _display() -> Any:
    from tests.factories.pixels import chest_picture  # noqa: PLC0415

    return (chest_picture(512, 512) >> 4).astype(np.uint8)


_PARTS: dict[str, Callable[[int], Callable[[int], object]]] = {
    "encode": _encode,
    "optimize, beam": _optimize("beam"),
    "optimize, pez": _optimize("pez"),
    "generate": _generate,
    "accept": _accept,
    "whole line": _line,
    "batch 8": _batch,
}


def main() -> None:
    """Measure and print a table in Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--part", choices=PARTS, help=argparse.SUPPRESS)
    parser.add_argument("--runs", type=int, default=20)
    arguments = parser.parse_args()
    count = 3 if arguments.quick else arguments.runs
    if arguments.part:
        print(json.dumps(measure(arguments.part, arguments.threads, count)))
        return
    print(f"{arguments.threads} threads of {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}\n")
    print("| step | seconds an image | of processor | images/s | peak memory, MB |")
    print("|---|---|---|---|---|")
    for part in PARTS:
        command = [sys.executable, "-m", "tests.benchmarks.synthesis", "--part", part,
                   "--threads", str(arguments.threads), "--runs", str(count)]  # fmt: skip
        told = subprocess.run(
            command, check=True, capture_output=True, text=True,
            env={**os.environ, "OMP_WAIT_POLICY": "PASSIVE"},  # as the node's worker processes
        ).stdout  # fmt: skip
        figures = json.loads(told.strip().splitlines()[-1])
        seconds, spent = figures["seconds"], figures["processor"]
        rate, peak = 1 / seconds, figures["mb"]
        print(f"| {part} | {seconds:.3f} | {spent:.3f} | {rate:.1f} | {peak:.0f} |", flush=True)


if __name__ == "__main__":
    main()
