"""Sixteen transfer syntaxes: encoded by pydicom, by DCMTK, or wrapped round a codestream."""

from __future__ import annotations

import subprocess
from pathlib import Path

from pydicom import dcmread
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import UID

from tests import factories
from tests.matrix.htj2k import codestream
from tests.matrix.pictures import picture_of

_ROOT = "1.2.840.10008.1.2"
NATIVE = {
    "Explicit VR Little Endian": f"{_ROOT}.1",
    "Implicit VR Little Endian": _ROOT,
    "Explicit VR Big Endian": f"{_ROOT}.2",
    "Deflated Explicit VR Little Endian": f"{_ROOT}.1.99",
}
COMPRESSED = {
    "RLE Lossless": f"{_ROOT}.5",
    "JPEG Baseline": f"{_ROOT}.4.50",
    "JPEG Extended": f"{_ROOT}.4.51",
    "JPEG Lossless Process 14": f"{_ROOT}.4.57",
    "JPEG Lossless SV1": f"{_ROOT}.4.70",
    "JPEG-LS Lossless": f"{_ROOT}.4.80",
    "JPEG-LS Near-Lossless": f"{_ROOT}.4.81",
    "JPEG 2000 Lossless": f"{_ROOT}.4.90",
    "JPEG 2000": f"{_ROOT}.4.91",
    "HTJ2K Lossless": f"{_ROOT}.4.201",
    "HTJ2K Lossless RPCL": f"{_ROOT}.4.202",
    "HTJ2K": f"{_ROOT}.4.203",
}
SYNTAXES = NATIVE | COMPRESSED
_CONVERTED = {_ROOT: "+ti", f"{_ROOT}.2": "+tb", f"{_ROOT}.1.99": "+td"}
_BY_DCMTK = {
    f"{_ROOT}.4.50": "+eb", f"{_ROOT}.4.51": "+ee", f"{_ROOT}.4.57": "+el", f"{_ROOT}.4.70": "+e1",
}  # fmt: skip


def applies(name: str, dataset: Dataset) -> bool:
    """Whether an object can stand in a transfer syntax at all."""
    return name in NATIVE or picture_of(dataset) is not None


def write(dataset: Dataset, path: Path, name: str) -> Path:
    """Write an object as a sender in that transfer syntax would."""
    uid = SYNTAXES[name]
    if name in COMPRESSED and uid not in _BY_DCMTK:
        return _write_compressed(dataset, path, uid)
    factories.write(dataset, path)
    if uid in _CONVERTED:
        _convert("dcmconv", _CONVERTED[uid], path)
    elif uid in _BY_DCMTK:
        _convert("dcmcjpeg", _BY_DCMTK[uid], path)
    assert dcmread(path, stop_before_pixels=True).file_meta.TransferSyntaxUID == uid
    return path


def _convert(tool: str, option: str, path: Path) -> None:
    """In place; the instance keeps its UID."""
    extra = ["+un"] if tool == "dcmcjpeg" else []
    subprocess.run([tool, option, *extra, str(path), str(path)], check=True, capture_output=True)


def _write_compressed(dataset: Dataset, path: Path, uid: str) -> Path:
    made = dcmread(factories.write(dataset, path))
    if uid.rpartition(".")[2] in {"201", "202", "203"}:
        frame = codestream(uid, str(picture_of(made)))
        made.PixelData = encapsulate([frame] * int(made.get("NumberOfFrames") or 1))
        made["PixelData"].is_undefined_length = True
        made["PixelData"].VR = "OB"
        made.BitsStored, made.HighBit = made.BitsAllocated, made.BitsAllocated - 1
        if made.SamplesPerPixel == 3:
            made.PhotometricInterpretation = "YBR_ICT" if uid.endswith("203") else "YBR_RCT"
        made.file_meta.TransferSyntaxUID = UID(uid)
    else:
        options: dict[str, object] = {}
        if uid.endswith(".81"):
            options["jls_error"] = 2
        if uid.endswith(".91"):
            options["j2k_cr"] = [4]
        made.compress(uid, generate_instance_uid=False, **options)
    made.save_as(path)
    return path
