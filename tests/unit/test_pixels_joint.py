"""The joint encoder that ships: what every user of its Protocol relies on."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from updp_node.errors import ConfigError
from updp_node.model import Prompt
from updp_node.pixels.encoder import ENCODER_FILE, ShippedEncoder
from updp_node.pixels.filter import load_default_vocabulary
from updp_node.pixels.generator import load_generator
from updp_node.pixels.joint import JointEncoder, load_encoder
from updp_node.pixels.weights import DEFAULT_FOLDER, MANIFEST

CHILD = ("child", "pneumonia")
ADULT = ("adult", "PA view", "no finding")


@pytest.fixture(scope="module")
def encoder() -> JointEncoder:
    return load_encoder(threads=1)


@pytest.fixture(scope="module")
def chests() -> list[NDArray[np.uint8]]:
    generator = load_generator("default", threads=1)
    return [generator.generate(Prompt(terms), 3) for terms in (CHILD, ADULT)]


def test_images_of_any_size_become_points_of_one_sphere(
    encoder: JointEncoder, chests: list[NDArray[np.uint8]]
) -> None:
    sizes = [chests[0], chests[0][::4, ::4], np.kron(chests[0], np.ones((3, 2), dtype=np.uint8))]
    points = [encoder.encode_image(image) for image in sizes]
    dimension = encoder.encode_terms(CHILD).shape
    assert all(point.shape == dimension and point.dtype == np.float32 for point in points)
    assert np.allclose([np.linalg.norm(point) for point in points], 1, atol=1e-5)
    assert float(points[0] @ points[2]) > 0.9


def test_a_batch_says_what_single_images_say(
    encoder: JointEncoder, chests: list[NDArray[np.uint8]]
) -> None:
    single = np.stack([encoder.encode_image(image) for image in chests])
    assert np.allclose(encoder.encode_images(chests), single, atol=1e-5)


def test_the_order_of_terms_does_not_matter(encoder: JointEncoder) -> None:
    assert np.array_equal(encoder.encode_terms(ADULT), encoder.encode_terms(ADULT[::-1]))


@pytest.mark.parametrize("terms", [(), ("adult", "smith")])
def test_no_term_and_a_word_beside_the_terms_are_refused(
    encoder: JointEncoder, terms: tuple[str, ...]
) -> None:
    with pytest.raises(ValueError, match="whole terms") as caught:
        encoder.encode_terms(terms)
    assert "smith" not in str(caught.value)


def test_every_rendered_term_is_embedded(encoder: JointEncoder) -> None:
    assert set(load_default_vocabulary().terms) <= set(encoder.terms)
    assert encoder.term_embeddings.shape[0] == len(encoder.terms)


def test_the_text_tower_agrees_with_the_terms_and_lets_gradients_through(
    encoder: JointEncoder,
) -> None:
    rows = [encoder.terms.index(term) for term in CHILD]
    told = torch.tensor(encoder.term_embeddings[rows])[None].requires_grad_()
    padded = torch.cat([told, torch.ones_like(told)], dim=1)
    masked = encoder.text_tower(padded, torch.tensor([[1.0, 1.0, 0.0, 0.0]]))
    assert np.allclose(masked[0].detach(), encoder.encode_terms(CHILD), atol=1e-5)
    masked[0, 0].backward()
    assert told.grad is not None
    assert float(told.grad.abs().sum()) > 0


def test_findings_are_probabilities_and_tell_a_child_from_an_adult(
    encoder: JointEncoder, chests: list[NDArray[np.uint8]]
) -> None:
    child, adult = (encoder.read_findings(image) for image in chests)
    assert {"pneumonia", "no finding", "child", "AP view"} <= set(child)
    assert all(0 <= chance <= 1 for chance in (*child.values(), *adult.values()))
    assert child["child"] > adult["child"]
    assert child["pneumonia"] > child["no finding"]


def test_another_window_hardly_changes_what_is_read(
    encoder: JointEncoder, chests: list[NDArray[np.uint8]]
) -> None:
    toned = (chests[0] // 2 + 60).astype(np.uint8)
    assert float(encoder.encode_image(toned) @ encoder.encode_image(chests[0])) > 0.98


def test_weights_that_differ_from_their_digest_refuse_to_start(tmp_path: Path) -> None:
    shutil.copytree(DEFAULT_FOLDER, tmp_path / "model")
    path = tmp_path / "model" / ENCODER_FILE
    path.write_bytes(path.read_bytes()[:-1] + b"\0\0")
    with pytest.raises(ConfigError, match="digest"):
        load_encoder(tmp_path / "model")


def test_a_folder_without_an_encoder_refuses_to_start(tmp_path: Path) -> None:
    shutil.copytree(DEFAULT_FOLDER, tmp_path / "model")
    path = tmp_path / "model" / MANIFEST
    manifest = json.loads(path.read_text())
    del manifest["encoder"]
    path.write_text(json.dumps(manifest))
    with pytest.raises(ConfigError, match="no encoder"):
        load_encoder(tmp_path / "model")


def test_the_shipped_encoder_is_small(encoder: JointEncoder) -> None:
    assert isinstance(encoder, ShippedEncoder)
    assert (DEFAULT_FOLDER / ENCODER_FILE).stat().st_size <= 4_000_000
    assert sum(path.stat().st_size for path in DEFAULT_FOLDER.iterdir()) <= 20_000_000
