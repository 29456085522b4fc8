"""The plan of a study, against the rules told in docs/explanation/line.md."""

from typing import Any

from updp_node.model import Certainty, Finding, PixelAction, Prompt
from updp_node.plan import (
    Decision,
    Earlier,
    Examined,
    Fate,
    Granted,
    History,
    decide,
    gather_findings,
)
from updp_node.subject import ProjectKey, identify_subject

SUBJECT = identify_subject(ProjectKey(bytes(32)), project="p", issuer="", patient_id="A1")
PNEUMONIA = Finding("pneumonia", Certainty.PRESENT)
EFFUSION = Finding("pleural effusion", Certainty.PRESENT)


def examined(uid: str, action: PixelAction = PixelAction.NONE, **more: Any) -> Examined:
    return Examined(uid, "1.2", "1.3", SUBJECT, action, **more)


def image(uid: str = "img", **more: Any) -> Examined:
    return examined(uid, PixelAction.SYNTHESIZE, **more)


def report(uid: str = "sr", *findings: Finding, **more: Any) -> Examined:
    return examined(uid, findings=findings, **more)


def plan(
    *instances: Examined,
    history: History | None = None,
    may_wait: bool = False,
    granted: Granted | None = None,
) -> dict[str, Decision]:
    known = history or History()
    findings, reported = gather_findings(instances, known)

    def grant(asking: Examined) -> Granted:
        shown = findings if reported else asking.image_findings
        prompt = Prompt(tuple(sorted(finding.term for finding in shown)))
        return granted or Granted(Fate.RELEASE, prompt)

    decisions = decide(
        instances, known, beside_counterpart=PixelAction.DROP, may_wait=may_wait,
        grant_prompt=grant,
    )  # fmt: skip
    return {decision.source_uid: decision for decision in decisions}


def test_the_report_of_a_study_steers_its_image() -> None:
    made = plan(image(), report("sr", PNEUMONIA))
    assert made["img"].prompt == Prompt(("pneumonia",))
    assert made["img"].fate is Fate.RELEASE
    assert made["sr"].fate is Fate.RELEASE


def test_an_image_waits_for_its_report_and_others_do_not() -> None:
    made = plan(image(), examined("ko"), may_wait=True)
    assert made["img"].fate is Fate.WAIT
    assert made["ko"].fate is Fate.RELEASE


def test_an_image_without_a_report_goes_on_with_what_it_shows() -> None:
    made = plan(image(image_findings=(EFFUSION,)))
    assert made["img"].prompt == Prompt(("pleural effusion",))


def test_no_real_pixels_and_no_coordinates_leave_beside_a_counterpart() -> None:
    made = plan(
        image(),
        examined("ct", PixelAction.KEEP),
        examined("pr", PixelAction.COORDINATES),
        report("sr"),
    )
    assert made["ct"].fate is Fate.DROP
    assert made["pr"].fate is Fate.DROP
    assert made["sr"].fate is Fate.RELEASE


def test_a_counterpart_released_before_keeps_later_real_pixels_back() -> None:
    earlier = Earlier(1, True, PixelAction.SYNTHESIZE, (), "sc")
    made = plan(
        examined("ct", PixelAction.KEEP),
        history=History({"img": earlier}, frozenset({PixelAction.SYNTHESIZE})),
    )
    assert made["ct"].fate is Fate.DROP


def test_real_pixels_released_before_keep_a_later_counterpart_back() -> None:
    earlier = Earlier(1, True, PixelAction.KEEP, None, "ct")
    made = plan(image(), report(), history=History({"ct": earlier}, frozenset({PixelAction.KEEP})))
    assert made["img"].fate is Fate.QUARANTINE
    assert made["img"].code == "real-pixels-released-before"


def test_a_late_report_that_changes_the_prompt_makes_a_new_generation() -> None:
    history = History({"img": Earlier(1, True, PixelAction.SYNTHESIZE, (), "sc")})
    made = plan(image(), report("sr", PNEUMONIA), history=history)
    assert (made["img"].fate, made["img"].generation) == (Fate.RELEASE, 2)


def test_a_late_report_that_changes_nothing_releases_nothing_twice() -> None:
    history = History({"img": Earlier(1, True, PixelAction.SYNTHESIZE, ("pneumonia",), "sc")})
    made = plan(image(), report("sr", PNEUMONIA), history=history)
    assert made["img"].fate is Fate.UNCHANGED


def test_what_names_a_renewed_instance_is_renewed_along_the_chain() -> None:
    history = History(
        {
            "img": Earlier(2, True, PixelAction.SYNTHESIZE, (), "sc"),
            "ko": Earlier(1, True, PixelAction.NONE, None, "ko", ("img",)),
            "ko2": Earlier(1, True, PixelAction.NONE, None, "ko", ("ko",)),
        }
    )
    made = plan(
        image(), report("sr", PNEUMONIA), examined("ko", references=("img",)),
        examined("ko2", references=("ko",)), history=history,
    )  # fmt: skip
    assert made["img"].generation == 3
    assert (made["ko"].fate, made["ko"].generation) == (Fate.RELEASE, 2)
    assert (made["ko2"].fate, made["ko2"].generation) == (Fate.RELEASE, 2)


def test_another_content_under_the_same_uid_is_a_new_generation() -> None:
    history = History({"sr": Earlier(1, False, PixelAction.NONE, None, "sr")})
    assert plan(report("sr"), history=history)["sr"].generation == 2


def test_the_study_findings_of_earlier_reports_count() -> None:
    made = plan(image(), history=History(findings=(PNEUMONIA,), has_report=True), may_wait=True)
    assert made["img"].prompt == Prompt(("pneumonia",))


def test_coordinates_released_before_keep_a_later_counterpart_back() -> None:
    history = History(actions=frozenset({PixelAction.COORDINATES}))
    assert plan(image(), report(), history=history)["img"].fate is Fate.QUARANTINE


def test_a_released_counterpart_never_waits_again() -> None:
    earlier = Earlier(1, True, PixelAction.SYNTHESIZE, ("pneumonia",), "sc")
    history = History({"img": earlier}, frozenset({PixelAction.SYNTHESIZE}))
    made = plan(image(), examined("dose"), history=history, may_wait=True)
    assert (made["img"].fate, made["img"].generation) == (Fate.UNCHANGED, 1)


def test_an_image_whose_prompt_too_few_share_waits_and_its_report_does_not() -> None:
    waiting = Granted(Fate.WAIT, code="rare-prompt", k_released=2)
    made = plan(image(), report("sr", PNEUMONIA), granted=waiting)
    assert (made["img"].fate, made["img"].code) == (Fate.WAIT, "rare-prompt")
    assert made["img"].prompt is None
    assert made["sr"].fate is Fate.RELEASE


def test_a_refused_prompt_quarantines_the_image_alone() -> None:
    refused = Granted(Fate.QUARANTINE, code="rare-prompt", k_map=3)
    made = plan(image(), report("sr", PNEUMONIA), granted=refused)
    assert (made["img"].fate, made["img"].code) == (Fate.QUARANTINE, "rare-prompt")
    assert made["sr"].fate is Fate.RELEASE


def test_what_was_granted_is_released_with_its_figures() -> None:
    coarser = Prompt(("pneumonia",), withheld=("pleural effusion",))
    made = plan(image(), report("sr", PNEUMONIA, EFFUSION),
                granted=Granted(Fate.RELEASE, coarser, k_map=40, k_released=6))  # fmt: skip
    assert made["img"].prompt == coarser
    assert (made["img"].k_map, made["img"].k_released) == (40, 6)
