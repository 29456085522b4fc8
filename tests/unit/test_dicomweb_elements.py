"""Elements, values and frames found in files, against what pydicom reads of the same files."""

from __future__ import annotations

import json
import random
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from pydicom import Dataset, dcmread
from pydicom.dataset import FileMetaDataset
from pydicom.encaps import encapsulate, encapsulate_extended
from pydicom.sequence import Sequence
from pydicom.uid import (
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGBaseline8Bit,
    JPEGLSLossless,
    RLELossless,
)

from tests.factories import images
from updp_node.dicomweb.bulk import find_bulk
from updp_node.dicomweb.elements import Kind, Walk
from updp_node.dicomweb.metadata import write_metadata
from updp_node.dicomweb.multipart import read_spans
from updp_node.dicomweb.pixels import find_frames, read_bits, read_image
from updp_node.errors import InstanceError
from updp_node.research.files import StoredFile, read_head

FRAMES = [bytes([0xFF, 0xD8, number]) + bytes([number] * (7 + 2 * number)) for number in range(5)]


def store(dataset: Dataset, path: Path, syntax: str = ExplicitVRLittleEndian) -> StoredFile:
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.save_as(path, enforce_file_format=True)
    return read_head(path)


def metadata_of(stored: StoredFile) -> dict:
    return json.loads("".join(write_metadata(stored, "http://x")))


def nested(depth: int, *, undefined: bool) -> Dataset:
    inner = Dataset()
    inner.CodeValue, inner.CodeMeaning = f"V{depth}", "Größe\\n"
    if depth:
        inner.ConceptNameCodeSequence = Sequence([nested(depth - 1, undefined=undefined)])
        inner["ConceptNameCodeSequence"].is_undefined_length = undefined
        inner.ConceptNameCodeSequence[0].is_undefined_length_sequence_item = undefined
    return inner


@pytest.mark.parametrize("undefined", [True, False])
@pytest.mark.parametrize("syntax", [ExplicitVRLittleEndian, ImplicitVRLittleEndian])
def test_metadata_of_every_encoding_are_what_pydicom_reads(
    tmp_path: Path, syntax: str, undefined: bool
):
    dataset = images.chest_cr(rows=8, columns=8)
    dataset.SpecificCharacterSet = "ISO_IR 100"
    dataset.ProcedureCodeSequence = Sequence([nested(4, undefined=undefined), Dataset()])
    dataset["ProcedureCodeSequence"].is_undefined_length = undefined
    dataset.ReferencedImageSequence = Sequence([])
    dataset.FrameIncrementPointer = [0x00181063, 0x00181065]
    dataset.PixelPaddingValue = 7
    dataset.ConceptNameCodeSequence = Sequence([Dataset()])
    found = metadata_of(store(dataset, tmp_path / "x.dcm", syntax))
    expected = dcmread(tmp_path / "x.dcm").to_json_dict(
        bulk_data_threshold=10**9, bulk_data_element_handler=lambda _: ""
    )
    assert set(found) == set(expected)
    for tag, element in expected.items():
        if tag in {"00080005", "7FE00010"}:
            continue
        assert flat(found[tag].get("Value")) == flat(element.get("Value")), tag


def flat(value: object) -> object:
    """Values without the difference between an empty value and none, and between nested VRs."""
    if isinstance(value, dict):
        return {key: flat(each) for key, each in value.items() if key != "vr" and flat(each)}
    if isinstance(value, list):
        return [flat(each) for each in value if flat(each) or flat(each) == 0] or None
    return value or None if not isinstance(value, (int, float)) else float(value)


def test_a_sequence_of_unknown_vr_and_length_is_read_as_implicit(tmp_path: Path):
    inner = bytes.fromhex("08000001 02000000 4231".replace(" ", ""))
    items = b"\xfe\xff\x00\xe0" + len(inner).to_bytes(4, "little") + inner
    raw = (b"\x08\x00\x16\x00UI\x04\x001.2\0" + b"\x09\x00\x10\x10UN\0\0\xff\xff\xff\xff" + items
           + b"\xfe\xff\xdd\xe0\0\0\0\0" + b"\x10\x00\x20\x00LO\x02\x00P1")  # fmt: skip
    path = tmp_path / "raw"
    path.write_bytes(raw)
    found = metadata_of(StoredFile(path, ExplicitVRLittleEndian, 0, len(raw)))
    assert found["00091010"]["Value"][0]["00080100"]["Value"] == ["B1"]
    assert found["00100020"]["Value"] == ["P1"]


def test_damaged_elements_are_one_kind_of_error(tmp_path: Path):
    dataset = images.chest_cr(rows=8, columns=8)
    dataset.ProcedureCodeSequence = Sequence([nested(3, undefined=True)])
    stored = store(dataset, tmp_path / "x.dcm")
    content = (tmp_path / "x.dcm").read_bytes()
    random_ = random.Random(5)
    for _ in range(300):
        damaged = bytearray(content[: random_.randrange(stored.data_offset, len(content))])
        for _ in range(random_.randrange(8)):
            damaged[random_.randrange(stored.data_offset, len(damaged))] = random_.randrange(256)
        path = tmp_path / "y.dcm"
        path.write_bytes(damaged)
        size = len(damaged) - stored.data_offset
        with suppress(InstanceError):
            metadata_of(StoredFile(path, ExplicitVRLittleEndian, stored.data_offset, size))


def test_what_is_not_wanted_is_jumped_over(tmp_path: Path):
    dataset = Dataset()
    dataset.SOPClassUID = dataset.SOPInstanceUID = "1.2.3"
    dataset.ProcedureCodeSequence = Sequence([nested(3, undefined=False)] * 3)
    dataset.PatientID = "P"
    stored = store(dataset, tmp_path / "x.dcm")
    with stored.path.open("rb") as file:
        walk = Walk(file, stored.transfer_syntax_uid, stored.data_offset, stored.data_size,
                    into=lambda _: False)  # fmt: skip
        paths = [event.path for event in walk if event.kind is Kind.VALUE]
    assert paths == [(0x00080016,), (0x00080018,), (0x00100020,)]


def compressed(
    tmp_path: Path, pixels: bytes, syntax: str, frames: int = len(FRAMES), **more: bytes
):
    dataset = images.chest_cr(rows=8, columns=8)
    dataset.NumberOfFrames = frames
    for keyword, value in more.items():
        setattr(dataset, keyword, value)
    dataset.PixelData = pixels
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    image = read_image(store(dataset, tmp_path / "x.dcm", syntax))
    assert image is not None
    return image


def frames_of(image, numbers=(1, 2, 3, 4, 5)) -> list[bytes]:
    return [b"".join(read_spans(image.stored.path, spans)) for spans in find_frames(image, numbers)]


@pytest.mark.parametrize("fragments", [1, 3])
@pytest.mark.parametrize("has_bot", [True, False])
def test_frames_are_found_by_offset_table_or_by_their_beginning(
    tmp_path: Path, fragments: int, has_bot: bool
):
    pixels = encapsulate(FRAMES, fragments_per_frame=fragments, has_bot=has_bot)
    image = compressed(tmp_path, pixels, JPEGBaseline8Bit)
    padded = [frame + b"\0" * (len(frame) % 2) for frame in FRAMES]
    assert frames_of(image) == padded
    assert frames_of(image, [4, 2]) == [padded[3], padded[1]]


def test_an_extended_offset_table_gives_frames_their_true_length(tmp_path: Path):
    pixels, offsets, lengths = encapsulate_extended(FRAMES)
    image = compressed(
        tmp_path, pixels, JPEGLSLossless,
        ExtendedOffsetTable=offsets, ExtendedOffsetTableLengths=lengths,
    )  # fmt: skip
    assert frames_of(image) == FRAMES


def test_one_frame_may_have_many_fragments(tmp_path: Path):
    whole = bytes(range(64))
    image = compressed(
        tmp_path, encapsulate([whole], fragments_per_frame=4, has_bot=False), RLELossless, frames=1
    )
    assert frames_of(image, [1]) == [whole]


def test_frames_that_cannot_be_told_apart_are_refused(tmp_path: Path):
    plain = [bytes([1] * 8), bytes([2] * 8)]
    pixels = encapsulate(plain, fragments_per_frame=2, has_bot=False)
    image = compressed(tmp_path, pixels, RLELossless, frames=2)
    with pytest.raises(InstanceError):
        frames_of(image, [1])


def test_frames_of_single_bits_are_moved_to_the_first(tmp_path: Path):
    masks = np.random.default_rng(3).integers(0, 2, (3, 5, 7), np.uint8)
    dataset = images.chest_cr(rows=8, columns=8)
    dataset.Rows, dataset.Columns, dataset.NumberOfFrames = 5, 7, 3
    dataset.BitsAllocated = dataset.BitsStored = 1
    dataset.HighBit = 0
    raw = np.packbits(masks.ravel(), bitorder="little").tobytes()
    dataset.add_new("PixelData", "OB", raw + b"\0" * (len(raw) % 2))
    image = read_image(store(dataset, tmp_path / "x.dcm"))
    assert image is not None
    for number in (1, 2, 3):
        bits = np.unpackbits(np.frombuffer(read_bits(image, number), np.uint8), bitorder="little")
        assert np.array_equal(bits[:35].reshape(5, 7), masks[number - 1])


def test_a_long_value_in_a_sequence_is_found_by_its_path(tmp_path: Path):
    dataset = images.chest_cr(rows=8, columns=8)
    item = Dataset()
    item.add_new("WaveformData", "OW", bytes(range(256)) * 16)
    dataset.WaveformSequence = Sequence([Dataset(), item])
    stored = store(dataset, tmp_path / "x.dcm")
    uri = metadata_of(stored)["54000100"]["Value"][1]["54001010"]["BulkDataURI"]
    assert uri == "http://x/54000100/2/54001010"
    found = find_bulk(stored, (0x54000100, 2, 0x54001010))
    assert found is not None
    assert b"".join(read_spans(stored.path, next(iter(found.parts)))) == item.WaveformData
    assert find_bulk(stored, (0x54000100, 1, 0x54001010)) is None
