"""Where a released instance comes from, said in the object itself.

Seed, prompt and exact k stay in the identified zone; the object carries digests, the
generation and the bound in bits.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from pydicom import Dataset
from pydicom.sequence import Sequence
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from updp_node.model import Counterpart

MANUFACTURER = "updp_node project"
MODEL_NAME = "updp_node"
DEIDENTIFYING_EQUIPMENT: Code = codes.DCM.DeIdentifyingEquipment
SYNTHESIZING_EQUIPMENT: Code = codes.DCM.SynthesizingEquipment


@dataclass(frozen=True, slots=True)
class Provenance:
    """What made an instance.

    Attributes
    ----------
    node_version, profile, profile_digest : str
    generation : int
    created : datetime
        Of the run, with time zone. Written into an object only where the profile retains full
        dates: a live node handles a study on the day it was made, and that date beside the
        shifted ones would tell the shift.
    lexicon_sha256 : str
        Of the whitelist and the blacklist; empty where no text was read.
    solver : str
        How the prompt of a counterpart was found.
    anonymity : str
        Which figure of k, and its band; the exact one stays in the identified zone.
    """

    node_version: str
    profile: str
    profile_digest: str
    generation: int
    created: datetime
    lexicon_sha256: str = ""
    solver: str = ""
    anonymity: str = ""


def copy_header(header: Dataset) -> Dataset:
    """A data set of its own with the elements of the header stage, encoded as those are."""
    made = Dataset({tag: header.get_item(tag) for tag in header.keys()})  # noqa: SIM118
    made.set_original_encoding(False, True, ["utf8"])
    return made


def stamp(made: Dataset, provenance: Provenance, counterpart: Counterpart | None = None) -> None:
    """Write provenance into a data set that the assembly is making.

    Parameters
    ----------
    made : pydicom.Dataset
        The new data set; changed.
    provenance : Provenance
    counterpart : Counterpart or None
        Where the pixels are synthetic.

    References
    ----------
    PS3.3 C.12.1.1 (Contributing Equipment Sequence, Instance Creation Date and Time);
    PS3.16 CID 7005 (109104 De-identifying Equipment, 109100 Synthesizing Equipment).
    """
    if _keeps_dates(made):
        made.InstanceCreationDate = f"{provenance.created:%Y%m%d}"
        made.InstanceCreationTime = f"{provenance.created:%H%M%S}"
    items = list(made.get("ContributingEquipmentSequence") or ())
    items.append(_equipment(made, provenance, DEIDENTIFYING_EQUIPMENT, _said(provenance)))
    if counterpart is not None:
        said = describe_synthesis(provenance, counterpart)
        items.append(_equipment(made, provenance, SYNTHESIZING_EQUIPMENT, said))
    made.ContributingEquipmentSequence = Sequence(items)


def _said(provenance: Provenance) -> str:
    parts = [
        f"profile {provenance.profile} {provenance.profile_digest[:16]}",
        f"generation {provenance.generation}",
    ]
    if provenance.lexicon_sha256:
        parts.append(f"lists {provenance.lexicon_sha256[:16]}")
    return ", ".join(parts)


def describe_synthesis(provenance: Provenance, counterpart: Counterpart) -> str:
    """Model, lists, solver, band of k and bound of a counterpart, as the object tells them."""
    parts = [f"model {counterpart.model_name} {counterpart.model_sha256[:16]}"]
    if counterpart.model_name != "default":
        parts.append("copies of its training images not tested for")
    if provenance.lexicon_sha256:
        parts.append(f"lists {provenance.lexicon_sha256[:16]}")
    if provenance.solver:
        parts.append(f"prompt by {provenance.solver}")
    if provenance.anonymity:
        parts.append(provenance.anonymity)
    return ", ".join([*parts, f"at most {counterpart.bits:.1f} bits of the source"])


def _keeps_dates(made: Dataset) -> bool:
    return bool(made.get("LongitudinalTemporalInformationModified") == "UNMODIFIED")


def _equipment(made: Dataset, provenance: Provenance, purpose: Code, description: str) -> Dataset:
    from highdicom import ContributingEquipment  # noqa: PLC0415  # half a second to import

    equipment: Dataset = ContributingEquipment(
        manufacturer=MANUFACTURER,
        purpose_of_reference=purpose,
        manufacturer_model_name=MODEL_NAME,
        software_versions=provenance.node_version,
        contribution_datetime=provenance.created if _keeps_dates(made) else None,
        contribution_description=description,
    )
    return equipment
