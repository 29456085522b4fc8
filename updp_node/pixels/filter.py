"""Decide what happens to the pixels of an instance; imports no torch.

The header decides where it speaks clearly; an image check decides where it does not. What is to
be synthesized is looked at in any case: a header can be wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray
from pydicom import Dataset
from pydicom.uid import MPEGTransferSyntaxes, VLWholeSlideMicroscopyImageStorage

from updp_node.errors import InstanceError
from updp_node.model import PixelAction
from updp_node.pixels.claims import (
    claims_chest,
    claims_frontal,
    claims_radiograph,
    read_view,
    refuse_unclaimed,
)
from updp_node.pixels.detectors import looks_child, looks_frontal_chest, read_image
from updp_node.pixels.frames import decode, has_pixels, to_display
from updp_node.pixels.prompt import build_prompt
from updp_node.pixels.vocabulary import Vocabulary
from updp_node.pixels.weights import DEFAULT_FOLDER, read_manifest

__all__ = [
    "PixelPolicy",
    "build_prompt",
    "choose_action",
    "load_default_vocabulary",
    "looks_child",
    "looks_frontal_chest",
    "read_image",
    "read_view",
    "refuse_unclaimed",
    "show_first",
]


_VIDEO = frozenset(MPEGTransferSyntaxes)
_TELLING = ("BurnedInAnnotation", "RecognizableVisualFeatures")


@dataclass(frozen=True, slots=True)
class PixelPolicy:
    """What a profile does with each kind of image.

    Attributes
    ----------
    chest_frontal, chest_other, other_images : PixelAction
        Frontal chest radiographs; other views of the chest; everything else with pixels.
    """

    chest_frontal: PixelAction = PixelAction.SYNTHESIZE
    chest_other: PixelAction = PixelAction.DROP
    other_images: PixelAction = PixelAction.QUARANTINE

    def __post_init__(self) -> None:
        """Refuse what cannot be: only a frontal chest has a generator.

        Raises
        ------
        ValueError
            When another kind of image is to be synthesized, or pixels are declared absent.
        """
        if PixelAction.SYNTHESIZE in (self.chest_other, self.other_images):
            raise ValueError("only frontal chest radiographs can be synthesized")
        if PixelAction.NONE in (self.chest_frontal, self.chest_other, self.other_images):
            raise ValueError("'none' is for objects without pixels")


def choose_action(
    source: Dataset, policy: PixelPolicy, show: Callable[[], NDArray[np.uint8]] | None = None
) -> PixelAction:
    """Choose what happens to the pixels of one instance.

    Parameters
    ----------
    source : pydicom.Dataset
        With its File Meta Information; not changed.
    policy : PixelPolicy
    show : callable, optional
        Its first frame as `to_display` makes it, for a caller that needs it again.

    Returns
    -------
    PixelAction
        ``NONE`` when the object carries no pixels.

    Raises
    ------
    InstanceError
        ``already-synthetic``: Synthetic Data (0008,001C) is YES; findings vanish over
        generations. ``burned-in-annotation``: the pixels are to be kept, and the header says
        that they show text or a face; or they are to be cleaned of text, and show a face.
        ``video-not-cleaned``, ``whole-slide-not-cleaned``: no cleaning of these.
        ``image-disagrees-with-header``: the header says frontal chest, the image is to be
        synthesized, and shows something else. Those of `decode` and `to_display`, where the
        image must be looked at.

    References
    ----------
    PS3.3 C.12.1.1.1 (Synthetic Data), C.7.6.1 (Burned In Annotation, Recognizable Visual
    Features), C.8.1.1, C.8.11.5.
    """
    if not has_pixels(source):
        return PixelAction.NONE
    if str(source.get("SyntheticData") or "").strip().upper() == "YES":
        raise InstanceError("already-synthetic", "(0008,001C)")
    action = _choose(source, policy, show or partial(show_first, source))
    if action is PixelAction.CLEAN:
        _refuse_uncleanable(source)
    if action in (PixelAction.KEEP, PixelAction.CLEAN):
        asked = _TELLING if action is PixelAction.KEEP else _TELLING[1:]
        telling = [each for each in asked if str(source.get(each) or "").upper() == "YES"]
        if telling:
            raise InstanceError("burned-in-annotation", " ".join(telling))
    return action


def _refuse_uncleanable(source: Dataset) -> None:
    """Video and whole slides: too much to be looked through frame by frame."""
    syntax = str(source.file_meta.TransferSyntaxUID) if hasattr(source, "file_meta") else ""
    if syntax in _VIDEO:
        raise InstanceError("video-not-cleaned", "(0002,0010)")
    if str(source.get("SOPClassUID")) == VLWholeSlideMicroscopyImageStorage:
        raise InstanceError("whole-slide-not-cleaned", "(0008,0016)")


def _choose(
    source: Dataset, policy: PixelPolicy, show: Callable[[], NDArray[np.uint8]]
) -> PixelAction:
    """By the kind of image, as the header claims it or the image shows it."""
    if not claims_radiograph(source):
        return policy.other_images
    chest, frontal = claims_chest(source), claims_frontal(source)
    if chest is False:
        return policy.other_images
    if chest and frontal is False:
        return policy.chest_other
    claims_both = bool(chest and frontal)
    if claims_both and policy.chest_frontal is not PixelAction.SYNTHESIZE:
        return policy.chest_frontal
    if frontal is not False and looks_frontal_chest(show()):
        return policy.chest_frontal
    if claims_both:
        raise InstanceError("image-disagrees-with-header", "(0018,0015) (0018,5101)")
    return policy.chest_other if chest else policy.other_images


def show_first(source: Dataset) -> NDArray[np.uint8]:
    """The first frame of an instance as people and detectors see it."""
    return to_display(source, decode(source)[0])


def load_default_vocabulary() -> Vocabulary:
    """Read the rendered vocabulary of the shipped model, without torch."""
    return Vocabulary.read(read_manifest(DEFAULT_FOLDER))
