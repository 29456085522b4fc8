"""Train the coarse stage of the default generator from what train_prepare.py wrote.

Twice: as it is for the children, and with ``--coefficients 128 --name adult`` for the adults.
Deterministic given a seed on one machine, resumable (every batch is drawn from the seed and
the step). Then train_texture.py, train_export.py and train_readers.py.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer
from diffusers import DDPMScheduler
from rich.progress import track
from torch import Tensor, nn

from updp_node.pixels.network import CoarseDenoiser

COARSE_SIZES = {"width": 384, "hidden": 768, "condition": 128, "blocks": 4}
SCHEDULE: dict[str, Any] = {
    "num_train_timesteps": 1000,
    "beta_schedule": "squaredcos_cap_v2",
    "prediction_type": "v_prediction",
}
_DROP_PROMPT = 0.1
_PATIENCE = 2_000
_ADULTS = 0.4


def train(
    work: Path,
    steps: int = 12_000,
    batch: int = 256,
    *,
    coefficients: int = 640,
    name: str = "coarse",
    rate: float = 6e-4,
    seed: int = 1,
    threads: int = 1,
) -> None:
    """Train the coarse stage; the checkpoint with the lowest held-out loss is kept."""
    torch.set_num_threads(threads)
    arrays = torch.load(work / "prepared.pt", weights_only=False, mmap=True)
    codes, terms = arrays["train_codes"][:, :coefficients].contiguous(), arrays["train_terms"]
    model = CoarseDenoiser(coefficients, terms.shape[1], **COARSE_SIZES)
    draw = balance(terms, adults=_ADULTS)
    weight = arrays["scale"][:coefficients].sqrt()
    weight = weight / weight.mean()

    def loss(network: nn.Module, generator: torch.Generator) -> Tensor:
        chosen = draw(batch, generator)
        kept = (torch.rand(batch, 1, generator=generator) > _DROP_PROMPT).float()
        told = terms[chosen] * kept
        return _velocity_loss(network, codes[chosen], told, weight, generator)

    def held_out(network: nn.Module) -> float:
        generator = torch.Generator().manual_seed(0)
        rare = arrays["val_terms"][:, 0] * 3 + 1
        chosen = torch.multinomial(rare, 4096, replacement=True, generator=generator)
        clean, told = arrays["val_codes"][chosen, :coefficients], arrays["val_terms"][chosen]
        return float(_velocity_loss(network, clean, told, weight, generator))

    _train(model, loss, held_out, work / f"{name}.pt", steps=steps, rate=rate, seed=seed)


def balance(terms: Tensor, *, adults: float = 0.5) -> Callable[[int, torch.Generator], Tensor]:
    """Draw a given share of adults, and rare findings up to three times as often."""
    counts = terms.sum(0).clamp(min=1)
    adult = terms[:, 0]
    rare = torch.sqrt(counts[4:].max() / counts[4:]) * terms[:, 4:]
    weight = rare.max(1).values.clamp(1, 3)
    children = 1 - adult
    weight = weight * (
        adults * adult / (adult * weight).sum()
        + (1 - adults) * children / (children * weight).sum()
    )
    return lambda count, generator: torch.multinomial(
        weight, count, replacement=True, generator=generator
    )


def _velocity_loss(
    network: nn.Module, clean: Tensor, terms: Tensor, weight: Tensor, generator: torch.Generator
) -> Tensor:
    """Squared error of the velocity; coefficients that show more weigh more."""
    scheduler = DDPMScheduler(**SCHEDULE)
    noise = torch.randn(clean.shape, generator=generator)
    time = torch.randint(0, 1000, (len(clean),), generator=generator)
    noisy = scheduler.add_noise(clean, noise, time)
    target = scheduler.get_velocity(clean, noise, time)
    with torch.autocast("cpu", torch.bfloat16):
        velocity = network(noisy, time, terms)
    return ((velocity.float() - target).square() * weight).mean()


def _train(
    model: nn.Module,
    loss: Callable[[nn.Module, torch.Generator], Tensor],
    held_out: Callable[[nn.Module], float] | None,
    checkpoint: Path,
    *,
    steps: int,
    rate: float,
    seed: int,
) -> None:
    """Adam with warm-up and cosine decay, averaged weights, a checkpoint every 250 steps."""
    torch.manual_seed(seed)
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.998)
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.01)
    state: dict[str, Any] = {"step": 0, "best": float("inf"), "log": []}
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=False)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
    running, begun = 0.0, time.monotonic()
    for step in track(range(state["step"], steps), checkpoint.stem):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        warm = min(1.0, (step + 1) / 200)
        optimizer.param_groups[0]["lr"] = (
            rate * warm * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * step / steps)))
        )
        value = loss(model, generator)
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        average.update_parameters(model)
        running += float(value.detach())
        if (step + 1) % 250 == 0 or step + 1 == steps:
            entry = {"step": step + 1, "loss": running / 250, "s": time.monotonic() - begun}
            running = 0.0
            if step + 1 - state.get("best_step", step) > _PATIENCE:
                break
            if held_out is not None:
                with torch.no_grad():
                    entry["held_out"] = held_out(average.module)
            _keep(
                state,
                entry,
                model=model,
                average=average,
                optimizer=optimizer,
                checkpoint=checkpoint,
            )


def _keep(
    state: dict[str, Any],
    entry: dict[str, float],
    *,
    model: nn.Module,
    average: Any,
    optimizer: torch.optim.Optimizer,
    checkpoint: Path,
) -> None:
    """Write the checkpoint; `chosen` holds the averaged weights that will be exported."""
    state["step"] = int(entry["step"])
    state["log"].append(entry)
    score = entry.get("held_out", -entry["step"])
    if score < state["best"]:
        state["best"], state["best_step"] = score, int(entry["step"])
        state["chosen"] = {k: v.clone() for k, v in average.module.state_dict().items()}
    state |= {"model": model.state_dict(), "average": average.state_dict()}
    state["optimizer"] = optimizer.state_dict()
    torch.save(state, checkpoint)
    print(json.dumps(entry), flush=True)


if __name__ == "__main__":
    typer.run(train)
