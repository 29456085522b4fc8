"""What names nobody is cut off what was found, and stays where it stands alone."""

from __future__ import annotations

import pytest

from tests.integration.text_templates import shared_scrubber


def kept(text: str) -> str:
    """The text without what is removed."""
    parts, done = [], 0
    for span in shared_scrubber().find(text):
        parts.append(text[done : span.start])
        done = span.end
    return "".join([*parts, text[done:]])


@pytest.mark.parametrize(
    ("text", "stays", "goes"),
    [
        ("Mother: Ilse Vantongeren, MRN 5518203.\n", "MRN", "Vantongeren"),
        ("Adjuster: Odile Marchetti, fax 212-555-0188\n", "fax", "Marchetti"),
        ("Performed by Tomasz Wolniak, RRA under supervision.\n", "RRA", "Wolniak"),
        ("Patient: Robert Tessel\nCassette no. 44 was used.\n", "Cassette", "Tessel"),
        ("TO: Larkmoor Children's Hospital ED\n", "ED", "Larkmoor"),
        ("Reported by: Nuala Quirke, Reporting Radiographer\n", "Radiographer", "Quirke"),
        ("Copies to: Brannigan / Okafor / medical records\n", "medical records", "Okafor"),
        ("Worker: Vasquez Pilar; SSN 220 49 8237\n", "SSN", "220 49 8237"),
        ("Siblings Tamsin and Wilfred were not imaged.\n", "Siblings", "Tamsin"),
        ("Courtesy of Larkmoor Imaging Partners\n", "Courtesy", "Larkmoor"),
    ],
)
def test_labels_and_roles_stay_beside_what_goes(text: str, stays: str, goes: str) -> None:
    assert stays in kept(text)
    assert goes not in kept(text)


@pytest.mark.parametrize("text", ["Hand, Pamela", "SMALL, S.", "Corbin, C.", "Constable, Rex"])
def test_a_name_that_is_a_word_is_not_cut_before_its_comma(text: str) -> None:
    found = kept(f"2nd reader: {text}\n")
    assert not any(part in found for part in text.rstrip(".").split(", ") if len(part) > 1)


@pytest.mark.parametrize(
    "line",
    [
        "MRI LUMBAR SPINE WO CONTRAST", "RADIATION ONCOLOGY PORT FILM CHECK", "EXAM DATE",
        "ELECTRONICALLY SIGNED THIS REPORT ON", "Empty sella. No mass effect.",
        "OLD HEALED RIB FRACTURES ON THE RIGHT.", "ADDENDUM #1", "POD#3 after Whipple procedure.",
        "UVC tip at T8, UAC tip at T6.", "VIATORR stent is patent.", "FRAX major 22%.",
        "HISTORY: GLF, on AC. GCS 14.", "She takes Lipitor, Zantac and Dilantin.",
        "Cerebral Angiography was performed.", "RF negative. RVSP 30. LAE is mild.",
        "Ratio 1.08 and velocity 14.20 m/s. Measures 11.20 x 09.15 cm.",
        "Reflexes 2/4. Strength 5/5.", "Mobile mass. Normal in size.",
        "The kidney measures 2.3 cm.", "By dates the fetus is 8 weeks.", "PT STATES SHE FELL.",
    ],
)  # fmt: skip
def test_words_of_reports_stay_whole(line: str) -> None:
    text = f"The lungs are clear.\n{line}\nThe heart is normal in size.\n"
    assert kept(text) == text
