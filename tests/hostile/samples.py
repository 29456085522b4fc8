"""What is damaged: objects of every kind in many transfer syntaxes, canaries in each."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from copy import deepcopy
from functools import cache
from pathlib import Path

import numpy as np
import pydicom
from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.pixels.utils import compress
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from tests import factories

_PACKAGED = Path(pydicom.__file__).parent / "data" / "test_files"
_FILES = (
    "JPEG2000.dcm", "JPGExtended.dcm", "MR_small_jpeg_ls_lossless.dcm", "MR_small_RLE.dcm",
    "SC_rgb_jpeg_dcmtk.dcm", "SC_rgb_rle_2frame.dcm", "examples_overlay.dcm",
    "examples_palette.dcm", "liver_1frame.dcm", "nested_priv_SQ.dcm", "reportsi.dcm",
    "rtdose_1frame.dcm", "rtplan.dcm", "rtstruct.dcm", "waveform_ecg.dcm", "CT_small.dcm",
)  # fmt: skip
_SYNTAXES = (
    ExplicitVRLittleEndian, ImplicitVRLittleEndian, ExplicitVRBigEndian,
    DeflatedExplicitVRLittleEndian, RLELossless, JPEG2000Lossless,
)  # fmt: skip
_PLANTED = (
    "PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientAddress",
    "OtherPatientNames", "PatientComments", "ReferringPhysicianName", "AccessionNumber",
    "InstitutionName", "StationName", "OperatorsName", "StudyDate", "StudyTime",
)  # fmt: skip
_MADE: tuple[Callable[[], Dataset], ...] = (
    lambda: factories.ct_series(1, rows=64)[0],
    lambda: factories.chest_cr(rows=96, columns=96),
    lambda: factories.chest_dx(rows=96, columns=96),
    factories.ultrasound,
    lambda: factories.secondary_capture(np.zeros((64, 64), np.uint8)),
    factories.private_object,
    factories.text_sr,
    lambda: factories.comprehensive_sr_with_scoord(factories.chest_cr(rows=32, columns=32)),
    lambda: factories.key_object([factories.chest_cr(rows=32, columns=32)]),
    lambda: factories.presentation_state(factories.chest_cr(rows=32, columns=32)),
    factories.encapsulated_pdf,
)  # fmt: skip
KINDS = len(_MADE) + len(_FILES)


def make_sample(kind: int, syntax: int, number: int) -> bytes:
    """A whole, sound Part 10 file.

    Parameters
    ----------
    kind : int
        Which object, modulo `KINDS`.
    syntax : int
        Which transfer syntax, for objects made here; packaged files keep their own.
    number : int
        Makes Study, Series and SOP Instance UID its own.
    """
    kind %= KINDS
    dataset = _make(kind)
    uids = {name: factories.make_uid("hostile", number, name)
            for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID")}  # fmt: skip
    own = kind >= len(_MADE)
    chosen = _SYNTAXES[syntax % len(_SYNTAXES)]
    if own:
        chosen = dataset.file_meta.get("TransferSyntaxUID", ImplicitVRLittleEndian)
    if chosen.is_compressed and "PixelData" not in dataset:
        chosen = ExplicitVRLittleEndian
    if chosen == ExplicitVRBigEndian and not own and "PixelData" in dataset:
        chosen = ImplicitVRLittleEndian
    copy = deepcopy(dataset)
    for keyword, uid in uids.items():
        setattr(copy, keyword, uid)
    if not own and chosen.is_compressed:
        copy = _compressed(copy, chosen)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return factories.encode(copy, transfer_syntax_uid=chosen)


@cache
def _make(kind: int) -> Dataset:
    if kind < len(_MADE):
        return _MADE[kind]()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = dcmread(_PACKAGED / _FILES[kind - len(_MADE)], force=True)
        dataset.decode()
    model = factories.chest_cr(rows=16, columns=16)
    for keyword in _PLANTED:
        dataset[keyword] = model[keyword]
    dataset.SOPClassUID = dataset.get("SOPClassUID", model.SOPClassUID)
    return dataset


def _compressed(dataset: Dataset, syntax: pydicom.uid.UID) -> Dataset:
    dataset.file_meta = pydicom.dataset.FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    compress(dataset, syntax, generate_instance_uid=False)
    return dataset
