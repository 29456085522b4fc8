"""Objects without pixels that show or sound of a patient leave only where the profile says so."""

from __future__ import annotations

import pytest
from pydicom import Dataset

from updp_node.errors import InstanceError
from updp_node.pixels.claims import refuse_unclaimed

STORAGE = "1.2.840.10008.5.1.4.1.1."
VOICE, AUDIO, ECG, HAEMODYNAMIC = "9.4.1", "9.4.2", "9.1.1", "9.2.1"
SPECTRUM, RTSTRUCT, SURFACE, RAW_DATA, MESH = "4.2", "481.3", "66.5", "66", "68.1"


def make(part: str, body: str = "") -> Dataset:
    source = Dataset()
    source.SOPClassUID = part if part.startswith("1.") or part.startswith("9.9") else STORAGE + part
    if body == "SpectroscopyData":
        source.SpectroscopyData = b"\0" * 8
    elif body == "PixelData":
        source.PixelData = b"\0" * 8
    elif body:
        setattr(source, body, [Dataset()])
    return source


def refuse(source: Dataset, *, keeps_others: bool) -> None:
    with pytest.raises(InstanceError, match="unclaimed-object"):
        refuse_unclaimed(source, keeps_others=keeps_others)


@pytest.mark.parametrize("part", [ECG, HAEMODYNAMIC, SPECTRUM, RTSTRUCT, "78.7"])
def test_waveforms_spectra_and_contours_leave_only_where_the_profile_keeps_them(part: str) -> None:
    refuse(make(part), keeps_others=False)
    refuse_unclaimed(make(part), keeps_others=True)


@pytest.mark.parametrize("part", [VOICE, AUDIO])
@pytest.mark.parametrize("keeps", [True, False])
def test_sound_never_leaves(part: str, keeps: bool) -> None:
    refuse(make(part, "WaveformSequence"), keeps_others=keeps)
    spoken = make("1.3.6.1.4.1.99.1", "WaveformSequence")
    spoken.Modality = "AU"
    refuse(spoken, keeps_others=keeps)


@pytest.mark.parametrize("part", [SURFACE, RAW_DATA, MESH, "66.6"])
def test_a_class_that_nobody_reviewed_is_refused_in_every_profile(part: str) -> None:
    refuse(make(part), keeps_others=False)
    refuse(make(part), keeps_others=True)


@pytest.mark.parametrize(
    "part", ["88.11", "88.33", "88.59", "88.67", "11.1", "66.1", "67", "481.5"]
)
def test_reports_presentation_states_and_plans_pass(part: str) -> None:
    refuse_unclaimed(make(part), keeps_others=False)


@pytest.mark.parametrize("body", ["WaveformSequence", "SpectroscopyData", "ROIContourSequence"])
@pytest.mark.parametrize("part", ["88.33", "2", "1.3.6.1.4.1.99.1"])
def test_a_class_that_passes_must_not_carry_what_another_is_refused_for(
    part: str, body: str
) -> None:
    refuse(make(part, body), keeps_others=False)


def test_images_and_unknown_classes_are_for_others_to_decide() -> None:
    refuse_unclaimed(make("2", "PixelData"), keeps_others=False)
    refuse_unclaimed(make("1.3.6.1.4.1.99.1"), keeps_others=False)
