"""A released zone with its index and tokens, made from factories, for the tests of DICOMweb."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from email.parser import BytesParser
from pathlib import Path

from pydicom import Dataset
from pydicom.uid import (
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    JPEGLSLossless,
    RLELossless,
    generate_uid,
)

from tests.factories import images
from tests.factories.canary import encode
from tests.factories.documents import text_sr
from tests.factories.people import patient
from updp_node.config.research import Web
from updp_node.dicomweb.app import make_app
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.description import describe
from updp_node.storage.ledger import LedgerEntry
from updp_node.storage.released_index import ReleasedIndex, ReleasedInstance
from updp_node.storage.research_engine import open_research_engine
from updp_node.storage.research_index import ResearchIndex
from updp_node.storage.tokens import Tokens


@dataclass
class WebZone:
    """Files below ``root``; every dataset that was put in, by SOP Instance UID."""

    root: Path
    datasets: dict[str, Dataset] = field(default_factory=dict)
    paths: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.url = sqlite_url(self.root / "index.sqlite")
        migrate(self.url, "released")
        self.engine = open_engine(self.url)
        self.released = ReleasedIndex(self.engine, self.root)
        self.tokens = Tokens(self.engine)

    def add(
        self, *datasets: Dataset, project: str = "alpha", syntax: str = ExplicitVRLittleEndian
    ) -> None:
        for dataset in datasets:
            if "PixelData" in dataset and syntax != ExplicitVRLittleEndian:
                dataset.file_meta = getattr(dataset, "file_meta", None) or Dataset()
                dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
                dataset.compress(syntax, generate_instance_uid=False)
            self.add_bytes(encode(dataset, transfer_syntax_uid=syntax), project=project)
            self.datasets[dataset.SOPInstanceUID] = dataset

    def add_bytes(self, content: bytes, *, project: str = "alpha") -> Path:
        name = f"files/{generate_uid()}.dcm"
        path = self.root / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
        self.add_path(path, project=project)
        return path

    def add_path(self, path: Path, *, project: str = "alpha") -> None:
        description = describe(path)
        name = str(path.relative_to(self.root))
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        entry = LedgerEntry(description.sop_instance_uid, project, name, digest, 1.0)
        self.released.add([ReleasedInstance(entry, description)])
        self.paths[description.sop_instance_uid] = path

    def token(self, project: str = "alpha") -> str:
        return self.tokens.add(project, "test", now=1.0)

    def app(self, settings: Web | None = None):
        engine = open_research_engine(self.url)
        return make_app(
            ResearchIndex(engine), Tokens(engine), self.root, settings or Web(max_page=50)
        )


def path_of(dataset: Dataset) -> str:
    """The path of an instance."""
    return (
        f"/studies/{dataset.StudyInstanceUID}/series/{dataset.SeriesInstanceUID}"
        f"/instances/{dataset.SOPInstanceUID}"
    )


def make_mixed_zone(root: Path) -> WebZone:
    """Images native and compressed, of one frame and several, a report; one study of another."""
    zone = WebZone(root)
    study = "1.2.826.0.1.7"
    zone.add(images.chest_cr(rows=64, columns=48, study_uid=study), images.ultrasound(3))
    zone.add(*images.ct_series(4, rows=32), syntax=RLELossless)
    zone.add(images.chest_dx(rows=64, columns=64, study_uid="1.2.3.5"), syntax=JPEG2000Lossless)
    zone.add(images.ultrasound(4, study_uid="1.2.3.6"), syntax=JPEGLSLossless)
    zone.add(text_sr(study_uid="1.2.3.7"))
    other = patient(patient_id="OTHER1", name="Hidden^Person")
    hidden = images.chest_cr(rows=32, columns=32, patient=other, study_uid="1.2.9.9")
    zone.add(hidden, project="beta")
    return zone


def held(zone: WebZone, *, keyword: str, value: str) -> Dataset:
    return next(each for each in zone.datasets.values() if str(each.get(keyword)) == value)


def parts_of(response) -> list[tuple[str, bytes]]:
    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    message = BytesParser().parsebytes(head + response.content)
    boundary = message.get_boundary().encode()
    pieces = response.content.split(b"--" + boundary)[1:-1]
    found = []
    for piece in pieces:
        header, _, body = piece[2:-2].partition(b"\r\n\r\n")
        kind = next(line for line in header.split(b"\r\n") if line.startswith(b"Content-Type"))
        found.append((kind.decode().partition(": ")[2], body))
    return found


def value(answer: dict, tag: str):
    return (answer[tag].get("Value") or [None])[0]
