"""Clinical documents made anew: what is not known to be free of identity is left out."""

from __future__ import annotations

import pytest

from tests import factories
from tests.factories import clinical
from tests.factories.reports import policy
from tests.integration.text_templates import shared_scrubber
from updp_node.errors import InstanceError
from updp_node.subject import ProjectKey, UidMap, identify_subject
from updp_node.text.cda import CleanedDocument, clean_cda
from updp_node.text.content import ContentScrubber
from updp_node.text.identity import Identity
from updp_node.text.items import ContentPolicy
from updp_node.text.markup import Node, read_markup
from updp_node.text.scrub import Replacement

SUBJECT = identify_subject(ProjectKey(b"k" * 32), project="P", issuer="", patient_id="N1")
PERSON = factories.patient()
IDENTITY = Identity(names=PERSON.person_names, ids=(PERSON.patient_id, PERSON.accession),
                    institutions=(PERSON.institution,), phones=(PERSON.phone,))  # fmt: skip


def _clean(content: bytes, rules: ContentPolicy | None = None) -> CleanedDocument:
    writer = ContentScrubber(shared_scrubber(), IDENTITY, SUBJECT, UidMap(SUBJECT, "d"),
                             Replacement.TAG, rules or policy())  # fmt: skip
    return clean_cda(content, writer)


def _section(inner: str) -> str:
    """What a section's inner XML becomes."""
    content = clinical.clinical_document(PERSON, body=f"<section>{inner}</section>")
    text = _clean(content).content.decode()
    return text.partition("<section>")[2].partition("</section>")[0]


def test_no_canary_is_left_and_the_second_run_changes_nothing_in_the_text() -> None:
    made = _clean(clinical.clinical_document(PERSON))
    assert factories.grep_canaries(made.content, factories.canaries(PERSON)) == []
    assert clinical.SOURCE_ROOT.encode() not in made.content
    assert made.instance_id.startswith("2.25.")
    again = _clean(made.content).content
    assert list(_said(read_markup(again))) == list(_said(read_markup(made.content)))


def _said(node: Node) -> list[str]:
    return [text for text in node.texts() if text.strip()]


def test_the_header_names_its_participants_without_saying_who_they_are() -> None:
    root = read_markup(_clean(clinical.clinical_document(PERSON)).content)
    assert [child.name for child in root.elements] == [
        "realmCode", "typeId", "templateId", "templateId", "id", "code", "title", "effectiveTime",
        "confidentialityCode", "languageCode", "setId", "versionNumber", "recordTarget", "author",
        "custodian", "component",
    ]  # fmt: skip
    (target,) = (child for child in root.elements if child.name == "recordTarget")
    assert _said(target) == [SUBJECT.pseudonym]


def test_a_name_over_two_elements_is_found() -> None:
    made = _section("<text><content>Qvis</content><content>torpe</content> coughs.</text>")
    assert made == "<text><content>[NAME]</content><content></content> coughs.</text>"


def test_names_of_places_in_the_narrative_are_made_anew_and_references_follow() -> None:
    made = _section(
        '<text><paragraph ID="Qvistorpe">Clear.</paragraph></text><entry><observation>'
        '<text><reference value="#Qvistorpe"/><reference value="http://a.example/1"/></text>'
        "</observation></entry>"
    )
    assert 'ID="a1"' in made
    assert made.count("<reference") == 1
    assert 'value="#a1"' in made


@pytest.mark.parametrize(
    ("element", "left"),
    [
        ('<code code="18748-4" codeSystem="2.16.840.1.113883.6.1" displayName="Qvistorpe"/>',
         'code="18748-4"'),
        ('<code code="Q7" codeSystem="1.3.6.1.4.1.99991.7.2" displayName="Effusion"/>',
         'nullFlavor="OTH" displayName="Effusion"'),
        ('<value value="12.5" unit="mm"/>', 'value="12.5" unit="mm"'),
        ('<value value="Qvistorpe"/>', 'nullFlavor="MSK"'),
        ('<value value="7738201946"/>', 'nullFlavor="MSK"'),
        ('<value value="3" unit="Qvistorpe"/>', 'value="3"'),
        ('<statusCode code="Qvistorpe"/>', 'nullFlavor="MSK"'),
        ('<statusCode code="completed"/>', 'code="completed"'),
        ('<value negationInd="true" classCode="QVISTORPE"/>', 'negationInd="true"'),
    ],
)  # fmt: skip
def test_an_attribute_stays_where_it_has_the_form_that_the_standard_gives_it(
    element: str, left: str
) -> None:
    made = _section(f"<entry><observation>{element}</observation></entry>")
    assert left in made
    assert "vistorpe" not in made.lower()
    assert "7738201946" not in made


@pytest.mark.parametrize(
    "element",
    ["<performer><assignedEntity/></performer>", "<participant/>", "<unknown>Clear</unknown>",
     '<subject xmlns="urn:other">Clear</subject>', "<informant/>", "<specimen/>"],
)  # fmt: skip
def test_an_element_that_is_not_known_is_left_out(element: str) -> None:
    assert _section(f"<entry><observation>{element}</observation></entry>") == (
        "<entry><observation/></entry>"
    )


@pytest.mark.parametrize(
    "inner",
    ["<entry><observationMedia/></entry>", "<text><renderMultiMedia/></text>",
     '<entry><observation><value representation="B64">QUJD</value></observation></entry>',
     "<entry><regionOfInterest/></entry>"],
)  # fmt: skip
def test_an_attachment_is_refused(inner: str) -> None:
    with pytest.raises(InstanceError, match="document-has-attachment"):
        _section(inner)


def test_a_body_that_is_not_xml_is_refused() -> None:
    content = clinical.clinical_document(PERSON, body="<nonXMLBody><text>QUJD</text></nonXMLBody>")
    with pytest.raises(InstanceError, match="document-has-attachment"):
        _clean(content)


@pytest.mark.parametrize(
    "content",
    [
        b'<!DOCTYPE a [<!ENTITY x "y">]><ClinicalDocument xmlns="urn:hl7-org:v3">&x;'
        b"</ClinicalDocument>",
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><ClinicalDocument xmlns="urn:hl7-org:v3"/>',
        b'<ClinicalDocument xmlns="urn:hl7-org:v3"><component>',
        b'<ClinicalDocument xmlns="urn:hl7-org:v3"/>', b"<ClinicalDocument/>", b"", b"\xff\xfe<a",
        b'<?xml version="1.0" encoding="nonsense"?><a/>', b"<a>" * 500,
    ],
)  # fmt: skip
def test_what_is_no_plain_clinical_document_is_refused(content: bytes) -> None:
    with pytest.raises(InstanceError, match="unreadable-document"):
        _clean(content)


def test_times_go_where_dates_go() -> None:
    rules = ContentPolicy(frozenset({"Clean Structured Content", "Clean Descriptors"}))
    made = _clean(clinical.clinical_document(PERSON), rules).content
    assert b"<effectiveTime nullFlavor" in made
    assert b"2023" not in made
