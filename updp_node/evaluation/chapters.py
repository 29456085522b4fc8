"""What the report says beside its numbers: questions, how to read them, anchors, limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from updp_node.evaluation.figure import Section


@dataclass(frozen=True, slots=True)
class Chapter:
    """The words of one section.

    Attributes
    ----------
    question : str
        Its heading.
    reading : str
        How its figures are read.
    anchors : tuple of (str, str)
        Published figures, each with its source.
    """

    question: str
    reading: str
    anchors: tuple[tuple[str, str], ...] = ()


CHAPTERS: Mapping[Section, Chapter] = {
    Section.IDENTITY: Chapter(
        "Does a counterpart still point at its patient?",
        "An attacker is a network that learned from real images to tell whether two of them show "
        "one patient. Its result on real pairs is its ceiling: what there is to be found. What it "
        "finds of a counterpart counts only beside that ceiling; an attacker whose ceiling is "
        "under 0.80 proves nothing about privacy. An adaptive attacker has also learned from "
        "counterparts. Normalized leakage is the part of the ceiling that is left above chance: 0 "
        "is none, 1 is all. Linkage looks for the source of a counterpart among all real images; "
        "chance is one in their number. Report linkage does the same for reports: a shared report "
        "is meant to keep its findings and most of its words, so it is likened to its original by "
        "them, and the figure says what somebody can do who already holds the originals; a "
        "counterpart leads to a report only as far as findings can be seen in it.",
        (
            ("Verification of real chest radiographs: AUC 0.994, P@1 0.996", "Packhäuser 2022"),
            ("Identity classifier: accuracy 0.137 before, 0.046 after", "Liu, arXiv 2604.07128"),
            ("Verification after deformation: AUC 0.818 before, 0.577 after", "PriCheXy-Net"),
            ("Identification AUC 0.47, with diagnosis AUC 0.78", "PrivDiff-Net"),
        ),
    ),
    Section.COPIES: Chapter(
        "Does the generator copy its training images?",
        "Every sample is held against the images that the generator was trained on (T) and as "
        "many real images of other patients that it never saw (H). A generator that copies "
        "nothing is as near to H as to T: a share of 0.5, a privacy loss of 0. A copy is a sample "
        "nearer to T than 95 % of the held-out images are; 5 % is chance. Membership inference "
        "asks whether an attacker can tell which images were used for training.",
    ),
    Section.UTILITY: Chapter(
        "Is it still useful?",
        "One classifier, one budget, always tested on real images of patients it never saw. What "
        "counts is the difference between training on real and on synthetic images, and whether "
        "its lower bound stays within the declared margin. Findings of a counterpart are compared "
        "with those of its source by Cohen's kappa: 0 is chance, 1 is agreement.",
        (
            (
                "Synthetic pre-training, then real fine-tuning: +6.5 %; naive mixing: +2.7 %",
                "RoentGen-v2",
            ),
            ("Diagnosis AUC 0.78 on images with identification AUC 0.47", "PrivDiff-Net"),
        ),
    ),
    Section.QUALITY: Chapter(
        "Is it a radiograph?",
        "Distances between whole sets of images, and whether samples fall among real ones "
        "(precision, density) and real ones among samples (recall, coverage). The floor is the "
        "distance between two sets of real images: nothing can be expected below it. A good "
        "distance alone says nothing of privacy or use: a copied training set would have the "
        "best. The values depend on the encoder; only those of one encoder compare.",
        (("FID on RadDINO features: 54.2 at best", "CheXGenBench, Sana 0.6B"),),
    ),
    Section.TEXT: Chapter(
        "What is left of identifiers in the text, and what of the findings?",
        "An identifier counts as removed only if nothing identifying of it stays. No leak among n "
        "does not mean none: the upper bound is about 3/n. Clinical retention compares what rules "
        "read in the original with what they read in the scrubbed text; a negation or a side that "
        "changed must not occur. Linkage asks whether somebody who already holds the originals can "
        "tell of which one a scrubbed text was made. A scrubbed report is meant to keep its "
        "findings and most of its words, so mostly he can: the figure does not say that an "
        "identifier stayed, and who does not hold the originals can link nothing so.",
    ),
    Section.RELEASES: Chapter(
        "What has the node received, held back and released?",
        "Counts come from the node's own index. A group (k) is how many patients share a value "
        "or a combination of values, and so how many a recipient cannot tell apart by it alone; a "
        "group of 1 singles a patient out. Only sizes of groups are told, never which they are.",
    ),
}

RULES: Mapping[str, str] = {
    "evaluation":
        "A limit is kept only if the 95 % bound of its figure lies within it, the figure rests on "
        "enough patients or images, and the attacker behind it is proven able on real images.",
    "text evaluation":
        "What must not occur is kept only if it did not occur once, in enough to tell; any other "
        "limit only if the 95 % bound of its figure lies within it.",
    "audit": "A limit is kept only if its figure lies within it.",
}  # fmt: skip

NOT_SHOWN: tuple[str, ...] = (
    "An interval covers the choice of patients. It does not cover another attacker: one with a "
    "better network, more data, or knowledge beside the images may find more.",
    "The figures hold for these images, this generator and this profile. Another hospital, "
    "another device or a new version needs figures of its own.",
    "Averages hide the few: a patient with a rare finding, a device or an unusual shape can be "
    "found where most cannot.",
    "A kept limit says that the declared rule holds here. It does not say that nobody can be "
    "recognized, and it is no legal judgement.",
    "What was not measured is not known. It must not be read as good.",
)
NOT_SHOWN_OF_TEXT: tuple[str, ...] = (
    "Recall is against the gold spans given; what their authors overlooked counts as right.",
    "Findings are read by the node's own rules in both texts; what the rules cannot read is "
    "compared in neither.",
    "A text without identifiers can still tell of a patient by what happened to him.",
    "What was not measured is not known. It must not be read as good.",
)
NOT_SHOWN_OF_AUDIT: tuple[str, ...] = (
    "Sizes of groups count what was released so far. A recipient who knows who was examined "
    "here, or holds other releases, sees smaller groups.",
    "Groups by header attributes say nothing about pixels and text.",
    "An instance that the gate let pass holds none of the identifiers that the gate looks for; "
    "that is not every identifier.",
    "What was not measured is not known. It must not be read as good.",
)
