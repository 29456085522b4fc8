"""Membership inference against a tiny diffusion model that has memorized what it saw."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from updp_node.evaluation.features import normalize
from updp_node.evaluation.figure import Measurements
from updp_node.evaluation.membership import (
    Candidates,
    Diffusion,
    measure_black_box,
    measure_membership,
)

DIMENSION = 24
IMAGES = 32
ALPHAS = np.cumprod(1 - np.linspace(1e-4, 0.02, 1000))
FEATURES = torch.exp(torch.linspace(0, 6, 8))


class Toy(nn.Module):
    """A perceptron that predicts the noise in a vector of a step."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(DIMENSION + 16, 256), nn.SiLU(), nn.Linear(256, 256), nn.SiLU(),
            nn.Linear(256, DIMENSION),
        )  # fmt: skip

    def forward(self, noisy: Tensor, steps: Tensor, _condition: Tensor) -> Tensor:
        angle = steps[:, None] / 1000 * FEATURES
        told: Tensor = self.layers(torch.cat([noisy, angle.sin(), angle.cos()], 1))
        return told


def images(seed: int) -> Tensor:
    return torch.randn(IMAGES, DIMENSION, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def memorizing() -> Diffusion:
    torch.manual_seed(0)
    network, members = Toy(), images(1)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-3)
    kept = torch.from_numpy(ALPHAS).float()
    for _ in range(800):
        chosen, steps = torch.randint(IMAGES, (128,)), torch.randint(400, (128,))
        noise = torch.randn(128, DIMENSION)
        share = kept[steps][:, None]
        noisy = share.sqrt() * members[chosen] + (1 - share).sqrt() * noise
        loss = (network(noisy, steps, noisy) - noise).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return Diffusion(network.eval(), ALPHAS)


def candidates(member: Tensor, other: Tensor) -> Candidates:
    size = len(member)
    return Candidates(
        torch.cat([member, other]), torch.zeros(2 * size, 1), np.arange(2 * size) < size,
        np.arange(2 * size).astype(str),
    )  # fmt: skip


def value(measured: Measurements, key: str) -> tuple[float, float, float]:
    figure = next(each for each in measured.figures if each.key == key)
    return figure.low, figure.value, figure.high


@pytest.mark.parametrize("attack", ["loss", "secmi", "pia"])
def test_members_of_a_memorizing_generator_are_found(memorizing: Diffusion, attack: str):
    measured = measure_membership(memorizing, candidates(images(1), images(2)), seed=0)
    low, auc, _ = value(measured, f"membership.{attack}.auc")
    assert auc > 0.85
    assert low > 0.7


@pytest.mark.parametrize("attack", ["loss", "secmi", "pia"])
def test_strangers_to_it_are_told_apart_no_better_than_by_chance(
    memorizing: Diffusion, attack: str
):
    measured = measure_membership(memorizing, candidates(images(3), images(2)), seed=0)
    low, _, high = value(measured, f"membership.{attack}.auc")
    assert low < 0.5 < high


def features(seed: int) -> NDArray[np.float32]:
    return normalize(images(seed).numpy())


def test_samples_alone_give_members_away_when_they_are_copies():
    asked = np.concatenate([features(1), features(2)])
    member = np.arange(2 * IMAGES) < IMAGES
    names = np.arange(2 * IMAGES).astype(str)
    copied = measure_black_box(asked, member, names, features(1), seed=0)
    assert value(copied, "membership.nearest.auc")[1] == 1
    assert value(copied, "membership.nearest.tpr-1")[1] == 1


def test_samples_that_are_no_copies_tell_nothing_on_average():
    areas = []
    for number in range(20):
        seeds = 3 * number + np.arange(100, 103)
        asked = np.concatenate([features(int(seeds[0])), features(int(seeds[1]))])
        member = np.arange(2 * IMAGES) < IMAGES
        names = np.repeat(np.arange(IMAGES), 2).astype(str)
        fresh = measure_black_box(asked, member, names, features(int(seeds[2])), seed=0)
        areas.append(value(fresh, "membership.nearest.auc")[1])
    assert np.mean(areas) == pytest.approx(0.5, abs=0.05)
