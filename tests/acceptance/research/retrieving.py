"""Where retrieved instances arrive, and whether they are what was released."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pydicom
from pydicom.filereader import read_file_meta_info

from tests.contracts.peers import free_port
from tests.integration.receiving import data_set_bytes

STORESCP = "STORESCP"
ORTHANC = "ORTHANC"
NOBODY = "NOBODY"
FOLDER_PORT, ORTHANC_PORT, CLOSED_PORT = free_port(), free_port(), free_port()
"""Chosen once, since a configuration names them before anybody listens."""


def add_destinations(config: dict[str, Any]) -> None:
    """Let C-MOVE send to DCMTK's storescp, to Orthanc and to a port where nobody listens."""
    config["research"]["destinations"] = [
        {"ae_title": title, "host": "127.0.0.1", "port": port}
        for title, port in (
            (STORESCP, FOLDER_PORT), (ORTHANC, ORTHANC_PORT), (NOBODY, CLOSED_PORT),
        )
    ]  # fmt: skip
    config["research"]["access"].append(
        {"ae_title": ORTHANC, "networks": ["127.0.0.0/8"], "projects": ["alpha"]}
    )


def by_uid(folder: Path) -> dict[str, Path]:
    """Part 10 files of a folder by SOP Instance UID."""
    return {
        str(pydicom.dcmread(path, specific_tags=["SOPInstanceUID"]).SOPInstanceUID): path
        for path in folder.rglob("*")
        if path.is_file()
    }


def assert_identical(got: dict[str, Path], released: dict[str, Path], uids: Iterable[str]) -> None:
    """Every instance that was asked for arrived, once, with the data set as it was released."""
    wanted = set(uids)
    assert set(got) == wanted, (len(got), len(wanted), sorted(wanted - set(got))[:3])
    for uid in wanted:
        meta, kept = read_file_meta_info(got[uid]), read_file_meta_info(released[uid])
        assert meta.TransferSyntaxUID == kept.TransferSyntaxUID
        assert data_set_bytes(got[uid]) == data_set_bytes(released[uid]), f"{uid} differs"
