"""``updp-node scrub``: a text, or a report object, without its identifiers, and why."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from updp_node.cli.process import KeyFile, project_key, text_subject
from updp_node.errors import InstanceError
from updp_node.model import Finding

if TYPE_CHECKING:
    from updp_node.text.identity import Identity
    from updp_node.text.scrub import Explanation

MOST_BYTES = 20_000_000
WARNING = "This shows identifiers: for the identified zone only."


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command()(scrub)


def scrub(  # noqa: PLR0917  # typer passes them by name
    file: Annotated[
        Path | None,
        typer.Argument(help="Text file or DICOM report; standard input by default."),
    ] = None,
    explain: Annotated[
        bool,
        typer.Option(
            "--explain",
            help="What is replaced, who decided, what the whitelist kept. Shows identifiers.",
        ),
    ] = False,
    findings: Annotated[bool, typer.Option("--findings", help="Findings instead.")] = False,
    spans: Annotated[bool, typer.Option("--spans", help="JSON spans instead of text.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
    surrogates: Annotated[
        bool, typer.Option(help="Invented values instead of [CATEGORY].")
    ] = False,
    profile: Annotated[
        str | None, typer.Option(help="Profile that says which of the two; overrides.")
    ] = None,
    language: Annotated[str, typer.Option(help="Language pack.")] = "en",
    site_lexicons: Annotated[
        Path | None,
        typer.Option(help="Folder of the site's own lexicons, as report.site_lexicons names it."),
    ] = None,
    key: KeyFile = None,
) -> None:
    """Remove identifiers from a text or a report."""
    sys.modules["torch"] = None  # type: ignore[assignment]  # thinc would import it: 300 MB
    sys.modules["transformers"] = None  # type: ignore[assignment]  # so would presidio
    from updp_node.text.findings import extract_findings, load_finding_rules  # noqa: PLC0415
    from updp_node.text.language import LanguageJudge  # noqa: PLC0415
    from updp_node.text.scrub import Replacement, load_scrubber  # noqa: PLC0415  # spaCy

    text, identity = read_input(file.read_bytes() if file else sys.stdin.buffer.read())
    scrubber = load_scrubber(language=language, site=site_lexicons)
    if other := LanguageJudge(scrubber.lexicons).name_other(text):
        typer.echo(f"The words are of another language than {language}: {other}.", err=True)
    if spans:
        found = scrubber.find(text, identity)
        fields = ({"start": s.start, "end": s.end, "category": s.category} for s in found)
        typer.echo(json.dumps(list(fields), indent=2))
        return
    if explain:
        show_explanation(scrubber.explain(text, identity), text, as_json=as_json)
        return
    if profile is not None:
        surrogates = wants_surrogates(profile)
    with project_key(key) as secret:
        chosen = Replacement.SURROGATE if surrogates else Replacement.TAG
        result = scrubber.scrub(text, identity, text_subject(secret), chosen)
    if findings:
        rules = load_finding_rules(language=language)
        show_findings(extract_findings(result.text, rules), as_json=as_json)
        return
    typer.echo(result.text, nl=False)


def read_input(raw: bytes) -> tuple[str, Identity | None]:
    """Text of a file: as it is, or the narrative of a DICOM report with its header's identity.

    Bytes that are no UTF-8 become U+FFFD, which stands in no name.

    Raises
    ------
    InstanceError
        ``text-too-long``; whatever a report object that cannot be read raises.
    """
    if len(raw) > MOST_BYTES:
        raise InstanceError("text-too-long", f"{len(raw)} bytes")
    if raw[128:132] != b"DICM":
        return raw.decode("utf-8", errors="replace"), None
    import pydicom  # noqa: PLC0415
    from pydicom.errors import InvalidDicomError  # noqa: PLC0415

    from updp_node.text.identity import read_identity  # noqa: PLC0415
    from updp_node.text.report import narrative  # noqa: PLC0415

    try:
        source = pydicom.dcmread(io.BytesIO(raw))
    except (InvalidDicomError, EOFError, ValueError) as error:
        raise InstanceError("unreadable", "") from error
    return narrative(source), read_identity([source])


def wants_surrogates(profile: str) -> bool:
    """Whether a profile replaces identifiers by surrogates."""
    from updp_node.header import load_profile  # noqa: PLC0415

    return load_profile(profile).report.replacement == "surrogate"


def show_explanation(explanation: Explanation, text: str, *, as_json: bool) -> None:
    """Print why each stretch goes or stays."""
    rows = explain_rows(explanation, text)
    if as_json:
        typer.echo(json.dumps(rows, indent=2, ensure_ascii=False))
        return
    console = Console()
    typer.echo(WARNING, err=True)
    table = Table("offsets", "text", "category", "recognizer", "decision")
    for row in rows:
        offsets = f"{row['start']}-{row['end']}"
        cells = (str(row[name]) for name in ("text", "category", "recognizer", "decision"))
        table.add_row(offsets, *cells)
    console.print(table, markup=False)


def explain_rows(explanation: Explanation, text: str) -> list[dict[str, str | int]]:
    """One row a span and a veto, in order of the text."""
    rows: list[dict[str, str | int]] = [
        {"start": s.start, "end": s.end, "text": text[s.start : s.end], "category": s.category,
         "recognizer": s.recognizer, "decision": "replaced"} for s in explanation.spans
    ]  # fmt: skip
    rows += [
        {"start": v.start, "end": v.end, "text": text[v.start : v.end], "category": v.category,
         "recognizer": v.recognizer, "decision": f"kept: {v.reason}"} for v in explanation.vetoes
    ]  # fmt: skip
    return sorted(rows, key=lambda row: (row["start"], row["end"]))


def show_findings(findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print findings."""
    from updp_node.line import finding_to_record  # noqa: PLC0415

    records = [finding_to_record(each) for each in findings]
    if as_json:
        typer.echo(json.dumps(records, indent=2))
        return
    columns = ("term", "certainty", "laterality", "location", "severity")
    table = Table(*columns)
    for record in records:
        table.add_row(*(record.get(column, "") for column in columns))
    Console().print(table)
