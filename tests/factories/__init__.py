"""Objects for tests: pure functions that make data sets with a canary in every
identifying attribute, and the search that must find none of them in what is released.
"""

from tests.factories.canary import canaries, encode, grep_canaries, write
from tests.factories.documents import (
    comprehensive_sr_with_scoord,
    content_item,
    encapsulated_pdf,
    key_object,
    presentation_state,
    report_sections,
    text_sr,
)
from tests.factories.images import (
    PRIVATE_SOP_CLASS,
    chest_cr,
    chest_dx,
    ct_series,
    private_object,
    secondary_capture,
    ultrasound,
)
from tests.factories.modules import PRIVATE_CREATOR, SOURCE_ROOT, code, make_uid, reference
from tests.factories.people import Patient, patient, plant, spell_date
from tests.factories.pixels import chest_picture, colour_frames

__all__ = [
    "PRIVATE_CREATOR", "PRIVATE_SOP_CLASS", "SOURCE_ROOT", "Patient", "canaries", "chest_cr",
    "chest_dx", "chest_picture", "code", "colour_frames", "comprehensive_sr_with_scoord",
    "content_item", "ct_series", "encapsulated_pdf", "encode", "grep_canaries", "key_object",
    "make_uid", "patient", "plant", "presentation_state", "private_object", "reference",
    "report_sections", "secondary_capture", "spell_date", "text_sr", "ultrasound", "write",
]  # fmt: skip
