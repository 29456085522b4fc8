"""The values that travel along the line. Frozen; no behaviour beyond their own meaning."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray


class Certainty(StrEnum):
    """Whether a report states, negates or doubts a finding."""

    PRESENT = "present"
    ABSENT = "absent"
    UNCERTAIN = "uncertain"


class Laterality(StrEnum):
    """Side of a finding as a report states it."""

    LEFT = "left"
    RIGHT = "right"
    BILATERAL = "bilateral"


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One whitelisted finding of a report.

    Attributes
    ----------
    term : str
        Canonical whitelist term, lower case, e.g. ``pleural effusion``.
    certainty : Certainty
    laterality : Laterality or None
    location : str or None
        Whitelisted anatomical location, e.g. ``lower lobe``.
    severity : str or None
        Whitelisted severity, e.g. ``mild``.
    """

    term: str
    certainty: Certainty
    laterality: Laterality | None = None
    location: str | None = None
    severity: str | None = None


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of text that was recognized as identifying.

    Attributes
    ----------
    start, end : int
        Character offsets into the original text, half open.
    category : str
        Blacklist category, upper case, e.g. ``NAME``, ``DATE``, ``ID``.
    recognizer : str
        Which recognizer decided.
    """

    start: int
    end: int
    category: str
    recognizer: str = ""


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that the generator learns of a patient: whole terms of the rendered vocabulary.

    Attributes
    ----------
    terms : tuple of str
        Terms of the generator's vocabulary, in its order.
    unrendered : tuple of str
        Present findings of the report that the generator cannot draw.
    withheld : tuple of str
        Findings that could be drawn and are not, because too few people share them.
    """

    terms: tuple[str, ...]
    unrendered: tuple[str, ...] = ()
    withheld: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The prompt as it is read by a person."""
        return ", ".join(self.terms)


@dataclass(frozen=True, slots=True)
class Bound:
    """Upper bound of what the pixels of a counterpart can tell of its patient, part by part.

    Attributes
    ----------
    prompt : float
        Bits of the prompt: log2 of the admissible prompts, however one of them was chosen.
    choice : float
        Bits of a choice among candidates that looks at the source; 0 where no test does.
    outcome : float
        Bits of the outcome that nothing came out: held back, refused, or still waiting.
    """

    prompt: float
    choice: float = 0.0
    outcome: float = 0.0

    @property
    def total(self) -> float:
        """The sum of the parts, in bits."""
        return self.prompt + self.choice + self.outcome


@dataclass(frozen=True, slots=True)
class Counterpart:
    """Synthetic pixels in place of a patient's.

    Attributes
    ----------
    pixels : ndarray of uint8, shape (rows, columns)
        MONOCHROME2: 0 is black.
    prompt : Prompt
    model_name : str
    model_sha256 : str
        Digest over the weight files and the vocabulary of the generator.
    bound : Bound
    candidates : int
        Candidates generated until one was accepted.
    """

    pixels: NDArray[np.uint8]
    prompt: Prompt
    model_name: str
    model_sha256: str
    bound: Bound
    candidates: int

    @property
    def bits(self) -> float:
        """Upper bound of what the pixels can tell of the patient, in bits."""
        return self.bound.total


@dataclass(frozen=True, slots=True)
class CleanedPixels:
    """Samples in which burned-in text was painted over.

    Attributes
    ----------
    samples : ndarray, shape (frames, rows, columns) or (frames, rows, columns, samples)
        As they are stored, not converted.
    photometric_interpretation : str
        Of `samples`.
    frames : int
        How many frames were painted.
    is_from_lossy : bool
        They were decoded from a lossy compression.
    """

    samples: NDArray[Any]
    photometric_interpretation: str
    frames: int
    is_from_lossy: bool


class PixelAction(StrEnum):
    """What a profile does with the pixels of an instance."""

    SYNTHESIZE = "synthesize"
    CLEAN = "clean"
    KEEP = "keep"
    DROP = "drop"
    QUARANTINE = "quarantine"
    COORDINATES = "coordinates"  # no pixels, but the object points into those of others
    NONE = "none"  # the object has no pixels


@dataclass(frozen=True, slots=True)
class Received:
    """One instance as it lies in the staging area, known by its command set alone.

    Attributes
    ----------
    path : pathlib.Path
        Part 10 file: preamble, File Meta Information, the data set as received.
    sop_class_uid, sop_instance_uid : str
        Affected SOP Class and Instance UID of the C-STORE request (PS3.7 9.3.1.1).
    transfer_syntax_uid : str
        Of the accepted presentation context.
    calling_ae_title : str
    peer_address : str
    association_id : str
        Opaque; the same for every instance of one association.
    size_bytes : int
        Of the file.
    sha256 : str
        Digest of the data set bytes as received, without File Meta Information.
    """

    path: Path
    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    calling_ae_title: str
    peer_address: str
    association_id: str
    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class HeaderFacts:
    """What routing and settling need of a header; lives in the identified zone only.

    Attributes
    ----------
    study_uid, series_uid, sop_class_uid, sop_instance_uid, modality : str
    attributes : Mapping[str, str]
        Keyword to text, for the keywords that the routes ask.
    patient_sha256 : str
        Keyed digest of issuer and Patient ID.
    demographics_sha256 : str
        Keyed digest of the patient identifying attributes.
    """

    study_uid: str
    series_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    modality: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    patient_sha256: str = ""
    demographics_sha256: str = ""


@final
@dataclass(frozen=True, slots=True)
class Verified:
    """A released file that passed the gate. Only `updp_node.verify` makes one.

    Attributes
    ----------
    path : pathlib.Path
        In the released zone.
    sha256 : str
        Digest of the file's bytes when the gate saw them.
    sop_class_uid, sop_instance_uid, study_uid, transfer_syntax_uid : str
        Of the new object.
    """

    path: Path
    sha256: str
    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    transfer_syntax_uid: str


@final
@dataclass(frozen=True, slots=True)
class VerifiedBytes:
    """An encoded Part 10 object that passed the gate, not yet written.

    Only `updp_node.verify` makes one; `updp_node.storage.files` writes it.
    """

    encoded: bytes = field(repr=False)
    sha256: str
    sop_class_uid: str
    sop_instance_uid: str
    study_uid: str
    series_uid: str
    transfer_syntax_uid: str
