"""Other ways to write a template: labels, marks, lines, cases, and plain words at random."""

from __future__ import annotations

import random
import re
import string
from collections.abc import Callable
from dataclasses import replace

from tools.reports.fill import Report
from updp_node.text.lexicon import Lexicons

_SLOT_OR_PART = re.compile(r"(\{[^{}]*\}|<[a-z_0-9]+(?: \d)?(?: nl)?(?: \?)?>|^#[^\n]*\n)")
_PLAIN = re.compile(r"\[(phrase|clinical|plain|letters)\]", re.IGNORECASE)
_WORD = re.compile(r"[^\W\d_]+")
_BY = (
    "Signed Verified Approved Checked Reported Read Reviewed Authenticated Attested Released Typed "
    "Keyed Transcribed Dictated Interpreted Seen Confirmed Finalized Finalised Authorised "
    "Authorized Entered Performed Scanned Validated Countersigned Edited Completed Prepared "
    "Documented Issued Referred Ordered Requested Supervised Witnessed Assisted"
).split()
_TOLD = (
    "informed notified told paged called phoned contacted aware advised bleeped rung telephoned "
    "updated alerted texted"
).split()
_LABELS = {
    "patient": "Patient|Pt|Pat|Patient Name|Name|Client|Subject|Pt Name|Examinee",
    "physician": "Physician|Doctor|Provider|Clinician|Consultant|Referrer|Requester|Dr|MD",
    "radiologist": "Radiologist|Reader|Reported by|Reporter|Rad|Reading MD|Interpreter|Author",
    "mrn": "MRN|MR#|MR|Med Rec No|Medical Record|Chart|Chart No|Pt ID|Patient ID|Hosp No|UR",
    "accession": "Accession|Acc|Acc #|Accn|Access No|Exam ID|Study ID|Exam #|Order|Req No|Job",
    "dob": "DOB|D.O.B.|Birth date|Born|Date of birth|BD|Birthdate",
    "technologist": "Technologist|Tech|Technician|Radiographer|Operator|Sonographer|RT",
    "phone": "Phone|Tel|Ph|Telephone|Call|Contact|Cell|Mobile",
    "comparison": "Comparison|Compare|Compared|Prior|Priors|Previous|Comp|Old films",
    "nurse": "Nurse|RN|Sister|Charge nurse|Staff nurse|Matron",
}
_SEPARATORS = (": ", ": ", ":", " - ", " ", " = ", "  ", "\t", ". ", " | ", ":   ", "\n", ":\n")


class Variation:
    """One way of writing templates, the same throughout a report."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._labels = {
            word: rng.choice(others.split("|")) for word, others in _LABELS.items()
            if rng.random() < 0.5
        }  # fmt: skip
        self._separator = rng.choice(_SEPARATORS) if rng.random() < 0.4 else ""
        self._by = rng.random() < 0.5
        self._lines = rng.choice(["", "", "", "", "join", "split", "blank", "indent"])

    def apply(self, template: str) -> str:
        """A template written that way; slots stay."""
        rng = self._rng
        text = template
        for word, other in self._labels.items():
            text = re.sub(rf"(?<![\w{{<]){word}(?=[ :#.]*\{{)", other, text, flags=re.I)
        if self._by:
            text = re.sub(r"\b[A-Z][a-z]+ed(?= by\b)", lambda _: rng.choice(_BY), text)
            text = re.sub(r"\b(?:informed|notified|paged|aware)\b(?![^{]*\})",
                          lambda _: rng.choice(_TOLD), text)  # fmt: skip
        if self._separator:
            text = re.sub(r"(?<=[A-Za-z#]): *(?=\{)", lambda _: self._separator, text)
        return self._case(self._line(text))

    def _line(self, text: str) -> str:
        rng = self._rng
        if self._lines == "join":
            return re.sub(r"\n(?=\S)", lambda _: rng.choice([" ", "  ", ". ", " | ", "\n"]), text)
        if self._lines == "split":
            return re.sub(r"(?<=[.;]) (?=[A-Z{])", lambda _: rng.choice("\n "), text)
        if self._lines == "blank":
            return text.replace("\n", "\n\n")
        return text.replace("\n", "\n   ") if self._lines == "indent" else text

    def _case(self, text: str) -> str:
        """Single lines in capitals or with every word's first letter a capital."""
        lines = text.split("\n")
        for at, line in enumerate(lines):
            chosen = self._rng.random()
            if chosen < 0.05:
                lines[at] = _plain_cased(line, str.upper)
            elif chosen < 0.09:
                lines[at] = _plain_cased(line, str.title)
            elif chosen < 0.11:
                lines[at] = _plain_cased(line, str.lower)
        return "\n".join(lines)


def _plain_cased(line: str, case: Callable[[str], str]) -> str:
    """A line in another case but for its slots."""
    parts = re.split(r"(\{[^{}]*\}|<[a-z_0-9 ?]+>|^#.*$)", line)
    return "".join(part if at % 2 else case(part) for at, part in enumerate(parts))


class PlainWords:
    """Words that identify nobody, where a template says ``[clinical]`` and the like."""

    def __init__(self, lexicons: Lexicons) -> None:
        self._phrases = sorted(
            " ".join(phrase) for group in lexicons.eponyms.values() for phrase in group
        )
        usual = [w for w in sorted(lexicons.words) if w.isascii() and w.isalpha() and len(w) > 3]
        joints = frozenset(lexicons.closed.get("function", ()))
        self._clinical = [w for w in usual if w in lexicons.clinical and w not in joints]
        self._plain = [
            w for w in usual if w not in lexicons.clinical and w not in lexicons.ambiguous
        ]
        self._swapped = frozenset(self._clinical)

    def fill(self, template: str, rng: random.Random) -> str:
        """A template with its plain words, and with others for some of its own."""
        text = _PLAIN.sub(lambda match: self._draw(match[1].lower(), rng), template)
        if rng.random() < 0.5:
            return text
        parts = _SLOT_OR_PART.split(text)
        for at in range(0, len(parts), 2):
            words = parts[at].split(" ")
            first = 0 if at == 0 else 3
            last = len(words) if at == len(parts) - 1 else len(words) - 3
            for place in range(first, last):
                words[place] = self._swap(words[place], rng)
            parts[at] = " ".join(words)
        return "".join(parts)

    def _draw(self, kind: str, rng: random.Random) -> str:
        if kind == "letters":
            return "".join(rng.choices(string.ascii_uppercase, k=rng.randint(3, 4)))
        if kind == "phrase":
            return rng.choice(self._phrases).title()
        return rng.choice(self._clinical if kind == "clinical" else self._plain)

    def _swap(self, word: str, rng: random.Random) -> str:
        core = word.strip(".,;:()")
        if core.lower() not in self._swapped or rng.random() > 0.3:
            return word
        other = rng.choice(self._clinical)
        other = other.upper() if core.isupper() and len(core) > 1 else other
        return word.replace(core, other.title() if core.istitle() else other)


def label_words() -> frozenset[str]:
    """Words that the variations bring into templates."""
    added = {word.lower() for word in (*_BY, *_TOLD)}
    return frozenset(
        added | {w for labels in _LABELS.values() for w in _WORD.findall(labels.lower())}
    )


def tagged(report: Report, rng: random.Random) -> Report:
    """A report of which most identifiers were replaced by tags, as by an earlier run."""
    parts: list[str] = []
    spans = []
    done = length = 0
    for span in report.spans:
        instead = f"[{span.category}]" if rng.random() < 0.9 else ""
        plain, text = report.text[done : span.start], instead or report.text[span.start : span.end]
        length += len(plain)
        if not instead:
            spans.append(replace(span, start=length, end=length + len(text)))
        parts += [plain, text]
        length += len(text)
        done = span.end
    return replace(report, text="".join([*parts, report.text[done:]]), spans=tuple(spans))


def cut(report: Report, rng: random.Random) -> Report:
    """One to three lines or sentences of a report, as single items of a content tree have."""
    edges = [0, *(m.end() for m in re.finditer(r"\n+|(?<=[a-z]\.) ", report.text))]
    first = rng.randrange(len(edges))
    last = min(first + rng.randint(1, 3), len(edges) - 1)
    start, end = edges[first], edges[last] if last > first else len(report.text)
    inside = [
        replace(span, start=max(span.start, start) - start, end=min(span.end, end) - start)
        for span in report.spans
        if span.start < end and start < span.end
    ]
    return replace(report, text=report.text[start:end], spans=tuple(inside))
