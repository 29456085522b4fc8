"""Train the texture stage: paint on blurred real images until a critic takes it for real.

First absolute error alone, then with a critic (hinge loss, spectral norm) that sees image and
coarse image. Resumable and deterministic like train_generator.py.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import torch
import typer
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm
from train_generator import balance
from train_prepare import render

from updp_node.pixels.network import COARSE_SIZE, FACTOR, TexturePainter, enlarge

TEXTURE_SIZES = {"widths": [48, 80, 128], "late": 4}
_COARSE_NOISE = 0.15


class Critic(nn.Module):
    """Judges patches of an image beside its coarse image, folded to 64 x 64."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            spectral_norm(nn.Conv2d(2 + FACTOR**2, width, 3, 1, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, width, 3, 1, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(width, 2 * width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * width, 2 * width, 4, 2, 1)),
            nn.LeakyReLU(0.2),
            spectral_norm(nn.Conv2d(2 * width, 1, 3, 1, 1)),
        )
        self.to(memory_format=torch.channels_last)

    def forward(self, image: Tensor, coarse: Tensor, child: Tensor) -> Tensor:
        """Judge every patch: above zero is real."""
        detail = functional.pixel_unshuffle((image - enlarge(coarse)) * 10, FACTOR)
        band = child[:, None, None, None].expand_as(coarse)
        entered = torch.cat([detail, coarse * 2 - 1, band], 1)
        judged: Tensor = self.layers(entered.contiguous(memory_format=torch.channels_last))
        return judged


def train(
    work: Path,
    steps: int = 5_000,
    batch: int = 8,
    *,
    rate: float = 4e-4,
    warm: int = 600,
    seed: int = 1,
    threads: int = 1,
) -> None:
    """Train painter and critic in turn; averaged painter weights are kept."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    arrays = torch.load(work / "prepared.pt", weights_only=False, mmap=True)
    painter, critic = TexturePainter(**TEXTURE_SIZES), Critic()
    average = torch.optim.swa_utils.AveragedModel(
        painter, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.995)
    )
    movers = {
        "painter": torch.optim.Adam(painter.parameters(), rate, (0.5, 0.99)),
        "critic": torch.optim.Adam(critic.parameters(), rate, (0.5, 0.99)),
    }
    parts: dict[str, Any] = {"painter": painter, "critic": critic, "average": average}
    parts |= {f"{name}_mover": mover for name, mover in movers.items()}
    state: dict[str, Any] = {"step": 0, "best": 0.0, "log": []}
    checkpoint = work / "texture.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=False)
        for name, part in parts.items():
            part.load_state_dict(state[name])
    draw, sums, begun = balance(arrays["detail_terms"]), torch.zeros(3), time.monotonic()
    for step in track(range(state["step"], steps), "texture"):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        example = _draw_example(arrays, draw(batch, generator), generator)
        for mover in movers.values():
            mover.param_groups[0]["lr"] = rate * min(1.0, 2 * (1 - step / steps))
        sums += _take_step(painter, critic, movers, example, judged=step >= warm)
        average.update_parameters(painter)
        if (step + 1) % 200 == 0 or step + 1 == steps:
            error, hinge, fooled = (sums / 200).tolist()
            entry = {"step": step + 1, "error": error, "critic": hinge, "painter": fooled}
            sums.zero_()
            state |= {"step": step + 1, "log": [*state["log"], entry]}
            state |= {name: part.state_dict() for name, part in parts.items()}
            state["chosen"] = average.module.state_dict()
            torch.save(state, checkpoint)
            print(json.dumps({**entry, "s": time.monotonic() - begun}), flush=True)


def _draw_example(
    arrays: dict[str, Any], chosen: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Real images, their coarse images a little disturbed, the band, and noise."""
    codes = arrays["detail_codes"][chosen]
    coarse = render(codes + _COARSE_NOISE * torch.randn(codes.shape, generator=generator), arrays)
    noise = torch.randn(len(chosen), 2, COARSE_SIZE, COARSE_SIZE, generator=generator)
    real = arrays["detail_images"][chosen].float()[:, None] / 255
    return real, coarse, arrays["detail_terms"][chosen, 1], noise


def _take_step(
    painter: nn.Module,
    critic: nn.Module,
    movers: dict[str, torch.optim.Optimizer],
    example: tuple[Tensor, Tensor, Tensor, Tensor],
    *,
    judged: bool,
) -> Tensor:
    """One step of the painter and, once it paints at all, of the critic."""
    real, coarse, child, noise = example
    painted = painter(coarse, child, noise)
    error = functional.l1_loss(painted, real)
    hinge = fooled = torch.zeros(())
    if judged:
        genuine = critic(real, coarse, child)
        hinge = functional.relu(1 - genuine).mean()
        hinge = hinge + functional.relu(1 + critic(painted.detach(), coarse, child)).mean()
        _move(movers["critic"], hinge)
        critic.requires_grad_(False)
        fooled = -critic(painted, coarse, child).mean()
        _move(movers["painter"], 20 * error + fooled)
        critic.requires_grad_(True)
    else:
        _move(movers["painter"], 20 * error)
    return torch.stack([error.detach(), hinge.detach(), fooled.detach()])


def _move(mover: torch.optim.Optimizer, loss: Tensor) -> None:
    mover.zero_grad()
    loss.backward()
    mover.step()


if __name__ == "__main__":
    typer.run(train)
