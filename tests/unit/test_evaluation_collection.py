"""Reading sets of images: what is wrong is named by file and row, never by value."""

from __future__ import annotations

import csv
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests import factories
from tests.factories.radiographs import draw, write_counterparts, write_set, write_table
from updp_node.errors import ConfigError
from updp_node.evaluation.collection import load_collection
from updp_node.evaluation.study import make_study


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_set(tmp_path / "originals", range(6))


def rewrite(folder: Path, row: int, **values: str) -> None:
    path = folder / "index.csv"
    with path.open(newline="") as source:
        rows = list(csv.DictReader(source))
    rows[row - 2] |= values
    write_table(path, rows)


def test_a_folder_with_its_table_is_read(folder: Path):
    collection = load_collection(folder, "originals")
    assert len(collection) == 12
    assert collection.images.shape == (12, 128, 128)
    assert collection.has_patients
    assert collection.mark("Opacity").sum() == 6
    assert collection.notes == ("12 images were resized to 128 x 128",)


def test_an_archive_is_read_like_a_folder(folder: Path, tmp_path: Path):
    archive = tmp_path / "originals.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for path in folder.iterdir():
            target.write(path, path.name)
    assert load_collection(archive, "originals").digest == (
        load_collection(folder, "originals").digest
    )


def test_a_table_may_point_into_archives_beside_it(folder: Path):
    with zipfile.ZipFile(folder / "all.zip", "w") as target:
        target.write(folder / "0-0.png", "inside.png")
    rewrite(folder, 2, file="all.zip:inside.png")
    assert len(load_collection(folder / "index.csv", "originals")) == 12


def test_dicom_files_need_no_table(tmp_path: Path):
    for number in range(2):
        image = factories.chest_cr(patient=factories.patient(patient_id=f"77{number}"))
        image.PixelData = bytes(image.PixelData)[::-1] if number else image.PixelData
        factories.write(image, tmp_path / f"{number}.dcm")
    (tmp_path / "notes.txt").write_text("no image")
    collection = load_collection(tmp_path, "originals", side=64)
    assert collection.images.shape == (2, 64, 64)
    assert sorted(collection.patients) == ["770", "771"]
    assert "1 files are no readable DICOM image and were passed over" in collection.notes


def test_deep_pictures_keep_their_range(folder: Path):
    deep = draw(0, 0, ill=False).astype(np.uint16) * 257
    Image.fromarray(deep).save(folder / "0-0.png")
    collection = load_collection(folder, "originals", side=64)
    assert np.array_equal(collection.images[0], draw(0, 0, ill=False))


def test_mixed_sizes_are_resized_and_said(folder: Path):
    Image.fromarray(np.zeros((90, 100), dtype=np.uint8)).save(folder / "0-0.png")
    collection = load_collection(folder, "originals", side=64)
    assert collection.notes == ("1 images of 2 sizes were resized to 64 x 64",)


def test_exact_duplicates_are_dropped_and_said(folder: Path):
    Image.open(folder / "0-0.png").save(folder / "3-1.png")
    collection = load_collection(folder, "originals")
    assert len(collection) == 11
    assert "1 exact duplicates were dropped" in collection.notes


@pytest.mark.parametrize(
    ("row", "values", "said"),
    [
        (3, {"patient_id": ""}, "1 rows name no patient_id, the first is row 3"),
        (4, {"file": "secret-name.png"}, "row 4: the file is not there"),
        (5, {"split": "exam"}, "row 5: split is none of"),
        (6, {"image_id": ""}, "row 6: image_id is empty"),
        (6, {"image_id": "i0-0"}, "row 6 repeats the image_id of row 2"),
        (3, {"split": "train"}, "row 3 puts the patient of row 2 into another split"),
    ],
)
def test_a_wrong_row_is_named(folder: Path, row: int, values: dict[str, str], said: str):
    rewrite(folder, row, **values)
    with pytest.raises(ConfigError) as caught:
        load_collection(folder, "originals")
    assert said in str(caught.value)
    assert "index.csv" in str(caught.value)
    assert "secret-name" not in str(caught.value)


def test_a_picture_that_cannot_be_read_is_named(folder: Path):
    (folder / "0-1.png").write_bytes(b"no picture")
    with pytest.raises(ConfigError, match="row 3: cannot be read as an image"):
        load_collection(folder, "originals")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a,b\n1,2\n", "no column image_id"),
        (b"image_id,patient_id\n", "no rows"),
        (b"image_id,patient_id\nx\n", "row 2 has more or fewer values"),
        (b"\xff\xfe\x00image", "not a table"),
        (b"", "no column image_id"),
    ],
)
def test_a_wrong_table_is_refused(folder: Path, content: bytes, said: str):
    (folder / "index.csv").write_bytes(content)
    with pytest.raises(ConfigError, match=said):
        load_collection(folder, "originals")


def test_an_empty_folder_is_refused(tmp_path: Path):
    with pytest.raises(ConfigError, match="holds no DICOM image and no index"):
        load_collection(tmp_path, "originals")


def test_an_absent_folder_and_an_absent_table_are_refused(tmp_path: Path, folder: Path):
    with pytest.raises(ConfigError, match="is not there"):
        load_collection(tmp_path / "nowhere", "originals")
    with pytest.raises(ConfigError, match="the table is not there"):
        load_collection(folder, "originals", index=tmp_path / "nowhere.csv")


def test_a_file_that_is_no_archive_is_refused(tmp_path: Path):
    (tmp_path / "a.zip").write_bytes(b"no archive")
    with pytest.raises(ConfigError, match="neither a folder nor a zip"):
        load_collection(tmp_path / "a.zip", "originals")


def test_counterparts_of_nobody_are_refused(folder: Path, tmp_path: Path):
    other = write_set(tmp_path / "other", range(50, 56))
    strangers = write_counterparts(tmp_path / "strangers", other)
    with pytest.raises(ConfigError, match="no counterpart names an image of the originals"):
        make_study(
            load_collection(folder, "originals"),
            load_collection(strangers, "counterparts"),
            seed=0,
        )


def test_a_patient_in_training_and_held_out_is_refused(folder: Path, tmp_path: Path):
    originals = load_collection(folder, "originals")
    made = load_collection(write_counterparts(tmp_path / "c", folder), "counterparts")
    with pytest.raises(ConfigError, match="6 patients are both in training and held out"):
        make_study(originals, made, training=originals, held_out=originals, seed=0)


def test_patients_are_parted_by_the_table_or_else_by_the_seed(folder: Path, tmp_path: Path):
    made = load_collection(write_counterparts(tmp_path / "c", folder), "counterparts")
    study = make_study(load_collection(folder, "originals"), made, seed=0)
    assert set(study.test.patients) == {"p0", "p3"}
    assert not set(study.taught.patients) & set(study.test.patients)
    bare = load_collection(write_set(tmp_path / "bare", range(6), split=False), "originals")
    study = make_study(bare, made, seed=0)
    assert len(set(study.test.patients)) == 3
    assert not set(study.taught.patients) & set(study.test.patients)
    assert any("the table names no split" in note for note in study.notes)
