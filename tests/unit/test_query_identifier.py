"""Identifiers of C-FIND and of retrieval."""

import pytest
from pydicom import Dataset

from updp_node.query import Level, Model, QueryError
from updp_node.query.identifier import read_query, read_selection
from updp_node.query.levels import tag_of


def identifier(level, **keys):
    made = Dataset()
    if level is not None:
        made.QueryRetrieveLevel = level
    for keyword, value in keys.items():
        setattr(made, keyword, value)
    return made


def test_keys_are_read_with_their_values():
    query = read_query(
        identifier("STUDY", PatientName="A*", StudyInstanceUID=["1.2", "1.3"], StudyDate=""),
        Model.STUDY_ROOT,
    )
    values = {key.tag: key.values for key in query.keys}
    assert query.level is Level.STUDY
    assert values == {
        tag_of("PatientName"): ("A*",),
        tag_of("StudyInstanceUID"): ("1.2", "1.3"),
        tag_of("StudyDate"): (),
    }


def test_an_asterisk_alone_is_universal_matching():
    query = read_query(identifier("STUDY", PatientID="*"), Model.STUDY_ROOT)
    assert query.keys[0].is_universal


def test_keys_of_a_lower_level_are_ignored_and_told():
    query = read_query(identifier("STUDY", Modality="CT"), Model.STUDY_ROOT)
    assert query.ignored == (tag_of("Modality"),)
    assert not query.keys


def test_counts_are_returned_but_not_matched():
    query = read_query(identifier("STUDY", NumberOfStudyRelatedSeries="3"), Model.STUDY_ROOT)
    assert query.ignored == (tag_of("NumberOfStudyRelatedSeries"),)


@pytest.mark.parametrize(
    ("given", "model"),
    [
        (identifier(None), Model.STUDY_ROOT),
        (identifier("GALAXY"), Model.STUDY_ROOT),
        (identifier("PATIENT"), Model.STUDY_ROOT),
        (identifier("STUDY"), Model.PATIENT_ROOT),
        (identifier("SERIES"), Model.STUDY_ROOT),
        (identifier("SERIES", StudyInstanceUID=["1.2", "1.3"]), Model.STUDY_ROOT),
        (identifier("STUDY", PatientID="A*"), Model.PATIENT_ROOT),
    ],
)
def test_a_wrong_level_or_a_missing_unique_key_is_told(given, model):
    with pytest.raises(QueryError) as caught:
        read_query(given, model)
    assert caught.value.status == 0xA900


def test_a_relational_query_needs_no_unique_keys_above():
    query = read_query(identifier("IMAGE", Rows=None), Model.STUDY_ROOT, relational=True)
    assert query.level is Level.IMAGE


def test_a_sequence_key_has_one_item():
    made = identifier("STUDY")
    made.ProcedureCodeSequence = [Dataset(), Dataset()]
    with pytest.raises(QueryError):
        read_query(made, Model.STUDY_ROOT)


def test_a_selection_names_unique_keys():
    selection = read_selection(
        identifier("SERIES", StudyInstanceUID="1.2", SeriesInstanceUID=["1.3", "1.4"]),
        Model.STUDY_ROOT,
    )
    assert selection.study_uids == ("1.2",)
    assert selection.series_uids == ("1.3", "1.4")


@pytest.mark.parametrize(
    "given",
    [
        identifier("STUDY"),
        identifier("STUDY", StudyInstanceUID=""),
        identifier("STUDY", StudyInstanceUID="*"),
        identifier("SERIES", SeriesInstanceUID="1.3"),
    ],
)
def test_a_selection_without_its_unique_keys_is_refused(given):
    with pytest.raises(QueryError):
        read_selection(given, Model.STUDY_ROOT)


def test_wildcards_select_nothing():
    with pytest.raises(QueryError):
        read_selection(identifier("PATIENT", PatientID="A*"), Model.PATIENT_ROOT)
