"""Train the joint encoder: images and sets of terms in one space, and heads that read findings.

Train split only; of exact duplicates one; deterministic given a seed on one machine, resumable
(every batch is drawn from the seed and the step). The averaged weights of the lowest held-out
loss are written by export_encoder.py.

References
----------
P. Khosla et al., "Supervised Contrastive Learning", arXiv 2004.11362.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import typer
from rich.progress import track
from torch import Tensor, nn
from torch.nn import functional
from train_dataset import VIEWS, Radiograph, count_terms, read_images, read_index
from train_disturb import disturb

from updp_node.pixels.encoder import reduce_display
from updp_node.pixels.towers import ImageTower, TextTower

IMAGE_SIZES: dict[str, Any] = {"widths": [48, 96, 160], "dimension": 128}
TEXT_SIZES = {"embedding": 64, "hidden": 128, "dimension": 128}
MINIMUM_IMAGES = 50
_NO_FINDINGS = {"adult", "child", "AP view", "PA view"}


@dataclass(frozen=True)
class Labelled:
    """Images of one split with what is known of them.

    Attributes
    ----------
    rows : list of Radiograph
    images : Tensor of uint8, shape (n, 128, 128)
    terms : Tensor, shape (n, terms)
        Multi-hot.
    answers, known : Tensor, shape (n, heads)
        Of every head: yes or no, and whether this source knows.
    """

    rows: list[Radiograph]
    images: Tensor
    terms: Tensor
    answers: Tensor
    known: Tensor


class Encoder(nn.Module):
    """Everything that is trained."""

    def __init__(self, terms: int, heads: int) -> None:
        super().__init__()
        self.image = ImageTower(**IMAGE_SIZES, heads=heads)
        self.text = TextTower(**TEXT_SIZES)
        self.term_embeddings = nn.Parameter(torch.randn(terms, TEXT_SIZES["embedding"]))
        self.log_scale = nn.Parameter(torch.tensor(2.3))

    def encode_sets(self, sets: Tensor) -> Tensor:
        """Multi-hot sets (n, terms) as points of the joint space."""
        rows = functional.normalize(self.term_embeddings, dim=1)
        return self.text(rows.expand(len(sets), -1, -1), sets)


def choose_terms(rows: list[Radiograph]) -> list[str]:
    """Terms with at least `MINIMUM_IMAGES` training images; bands and views first."""
    counts = count_terms(rows)
    first = ["adult", "child", "AP view", "PA view", "no finding"]
    rest = sorted(set(counts) - set(first), key=lambda term: (-counts[term], term))
    return [term for term in first + rest if counts[term] >= MINIMUM_IMAGES]


def name_heads(terms: list[str]) -> list[tuple[str, str]]:
    """The questions: (term, band). Children's labels know pneumonia and its absence only."""
    findings = [term for term in terms if term not in _NO_FINDINGS]
    heads = [("child", "any"), ("AP view", "adult")]
    heads += [(term, "adult") for term in findings]
    return heads + [(term, "child") for term in findings if term in ("no finding", "pneumonia")]


def read_split(data: Path, rows: list[Radiograph], split: str, terms: list[str]) -> Labelled:
    """Read the images of a split and their answers."""
    chosen: list[Radiograph] = []
    images = []
    for kind in VIEWS:
        part = [row for row in rows if row.kind == kind and row.split == split]
        chosen += part
        images += [
            reduce_display(image).round().astype(np.uint8) for image in read_images(data, part)
        ]
    heads = name_heads(terms)
    answers = torch.tensor([[term in row.terms for term, _ in heads] for row in chosen])
    known = torch.tensor([[_knows(row, *head) for head in heads] for row in chosen])
    told = torch.tensor([[term in row.terms for term in terms] for row in chosen])
    pixels = torch.from_numpy(np.stack(images))
    return Labelled(chosen, pixels, told.float(), answers.float(), known.float())


def _knows(row: Radiograph, term: str, band: str) -> bool:
    """Whether a source answers a head: of 64 px images too few have pneumonia to say."""
    if (term, row.kind) == ("pneumonia", "adult_64"):
        return False
    return band == "any" or band in row.terms


def weigh(rows: list[Radiograph]) -> Tensor:
    """How often each image is drawn.

    Bands weigh the same; inside a band the cells finding x view x source weigh the same, so
    that a view or a source predicts no finding; inside a cell a patient's images share.
    """
    cells = [_name_cell(row) for row in rows]
    patients = Counter((cell, row.patient) for cell, row in zip(cells, rows, strict=True))
    share = [patients[cell, row.patient] ** -0.5 for cell, row in zip(cells, rows, strict=True)]
    sums: Counter[tuple[str, ...]] = Counter()
    for cell, part in zip(cells, share, strict=True):
        sums[cell] += part  # type: ignore[assignment]
    per_band = Counter(cell[0] for cell in sums)
    weight = [
        part / sums[cell] / per_band[cell[0]] for cell, part in zip(cells, share, strict=True)
    ]
    return torch.tensor(weight)


def _name_cell(row: Radiograph) -> tuple[str, ...]:
    finding = next((t for t in ("no finding", "pneumonia") if t in row.terms), "other")
    if "child" in row.terms:
        return ("child", finding)
    if finding == "pneumonia" and row.kind == "adult_64":
        finding = "other"
    view = next(term for term in row.terms if term.endswith(" view"))
    return ("adult", finding, view, row.kind)


def contrast(model: Encoder, seen: Tensor, told: Tensor, whole: Tensor) -> Tensor:
    """Multi-positive contrast between images and the distinct sets of the batch.

    A set that is true of an image, but not the one it was drawn with, is no negative.

    Parameters
    ----------
    seen : Tensor, shape (n, D)
    told, whole : Tensor, shape (n, terms)
        The set that an image was drawn with, and everything known of it.
    """
    sets, mine = torch.unique(told, dim=0, return_inverse=True)
    scores = model.log_scale.exp().clamp(max=30) * seen @ model.encode_sets(sets).T
    own = functional.one_hot(mine, len(sets)).bool()
    also_true = ((sets[None] * (1 - whole[:, None])).sum(2) == 0) & ~own
    scores = scores.masked_fill(also_true, -1e4)
    to_sets = functional.cross_entropy(scores, mine)
    per_set = functional.log_softmax(scores, dim=0)
    to_images = -((per_set * own).sum(0) / own.sum(0)).mean()
    return to_sets + 0.5 * to_images


def drop_terms(terms: Tensor, generator: torch.Generator) -> Tensor:
    """Sometimes leave the view out, and rare findings: prompts say less than labels do."""
    kept = terms.clone()
    kept[:, 2:4] *= (torch.rand(len(terms), 1, generator=generator) > 0.3).float()
    kept[:, 5:] *= (torch.rand(kept[:, 5:].shape, generator=generator) > 0.1).float()
    return kept


def ask(logits: Tensor, answers: Tensor, known: Tensor) -> Tensor:
    """Cross-entropy over what is known, answers softened a little, heads alike."""
    soft = answers * 0.9 + 0.05
    loss = functional.binary_cross_entropy_with_logits(logits, soft, reduction="none") * known
    return (loss.sum(0) / known.sum(0).clamp(min=1)).mean()


def train(
    data: Path,
    work: Path,
    steps: int = 1_200,
    batch: int = 96,
    *,
    rate: float = 2e-3,
    seed: int = 1,
    threads: int = 1,
) -> None:
    """Train the encoder; a checkpoint every 100 steps."""
    torch.set_num_threads(threads)
    torch.manual_seed(seed)
    work.mkdir(parents=True, exist_ok=True)
    rows = read_index(data)
    terms = choose_terms(rows)
    splits = {split: read_split(data, rows, split, terms) for split in ("train", "val")}
    model = Encoder(len(terms), len(name_heads(terms)))
    average = torch.optim.swa_utils.AveragedModel(
        model, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(0.99), use_buffers=True
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.05)
    parts: dict[str, Any] = {"model": model, "average": average, "optimizer": optimizer}
    state: dict[str, Any] = {"step": 0, "best": float("inf"), "log": [], "terms": terms}
    checkpoint = work / "encoder.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, weights_only=False)
        for name, part in parts.items():
            part.load_state_dict(state[name])
    weight, begun, sums = weigh(splits["train"].rows), time.monotonic(), torch.zeros(2)
    for step in track(range(state["step"], steps), "encoder"):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        torch.manual_seed(seed * 1_000_003 + step)
        phase = 0.5 * (1 + np.cos(np.pi * step / steps))
        optimizer.param_groups[0]["lr"] = rate * min(1, (step + 1) / 100) * (0.01 + 0.99 * phase)
        chosen = torch.multinomial(weight, batch, replacement=True, generator=generator)
        sums += _take_step(model, optimizer, splits["train"], chosen, generator)
        average.update_parameters(model)
        if (step + 1) % 100 == 0 or step + 1 == steps:
            entry = {"step": step + 1, "contrast": sums[0].item() / 100}
            entry |= {"heads": sums[1].item() / 100, **measure(average.module, splits["val"])}
            entry["s"] = time.monotonic() - begun
            sums.zero_()
            state |= {"step": step + 1, "log": [*state["log"], entry]}
            state |= {name: part.state_dict() for name, part in parts.items()}
            if entry["held_out"] < state["best"]:
                state["best"] = entry["held_out"]
                state["chosen"] = {k: v.clone() for k, v in average.module.state_dict().items()}
            torch.save(state, checkpoint)
            print(json.dumps({k: round(v, 4) for k, v in entry.items()}), flush=True)


def _take_step(
    model: Encoder,
    optimizer: torch.optim.Optimizer,
    split: Labelled,
    chosen: Tensor,
    generator: torch.Generator,
) -> Tensor:
    model.train()
    whole = split.terms[chosen]
    images = disturb(split.images[chosen], generator)
    with torch.autocast("cpu", torch.bfloat16):
        seen, logits = model.image(images)
    contrasted = contrast(model, seen.float(), drop_terms(whole, generator), whole)
    asked = ask(logits.float(), split.answers[chosen], split.known[chosen])
    optimizer.zero_grad()
    (0.5 * contrasted + 2 * asked).backward()
    nn.utils.clip_grad_norm_(model.parameters(), 2.0)
    optimizer.step()
    return torch.stack([contrasted.detach(), asked.detach()])


@torch.no_grad()
def measure(model: Encoder, split: Labelled) -> dict[str, float]:
    """Held-out loss, cells of `weigh` weighing the same, and the areas of three heads."""
    model.eval()
    seen, logits = zip(
        *(model.image(part.float()[:, None]) for part in split.images.split(64)), strict=True
    )
    share = weigh(split.rows)
    chosen = torch.multinomial(
        share, 2000, replacement=True, generator=torch.Generator().manual_seed(0)
    )
    embedded, read = torch.cat(seen), torch.cat(logits)
    asked = ask(read[chosen], split.answers[chosen], split.known[chosen])
    contrasted = contrast(model, embedded[chosen], split.terms[chosen], split.terms[chosen])
    result = {"held_out": float(asked + 0.1 * contrasted), "held_out_heads": float(asked)}
    result["held_out_contrast"] = float(contrasted)
    for number, name in ((3, "adult"), (-1, "child")):
        clear = split.known[:, number] > 0
        result[f"pneumonia_{name}"] = area(read[clear, number], split.answers[clear, number])
    return result


def area(scores: Tensor, answers: Tensor) -> float:
    """Area under the receiver operating curve."""
    yes, no = scores[answers > 0], scores[answers == 0]
    return float((yes[:, None] > no[None]).float().mean())


if __name__ == "__main__":
    typer.run(train)
