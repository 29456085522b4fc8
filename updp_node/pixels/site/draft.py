"""A manifest for the operator to complete."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from updp_node.pixels.site.inspection import Inspection
from updp_node.pixels.site.programs import read_program

_HEAD = """\
# What a site's generator is, for an operator to complete and approve.
# Empty values refuse to start. When it is complete: updp-node model approve, which names the
# digest that belongs into the configuration. Any change of this file is another digest.
"""
_STYLE: dict[str, Any] = {"sort_keys": False, "width": 100}
_FINDINGS = ["no finding", "cardiomegaly", "pleural effusion"]


def draft_manifest(inspection: Inspection, *, name: str) -> str:
    """Write down what was found, with the rest left open.

    Parameters
    ----------
    inspection : Inspection
        Without refusals.
    name : str
        What profiles will call it.

    Returns
    -------
    str
        YAML. The vocabulary is an example, the counts are zero and refuse to start.
    """
    files = {
        file.path: {"size_bytes": file.size_bytes, "sha256": file.sha256}
        for file in inspection.loaded
    }
    parts: list[tuple[str, dict[str, Any]]] = [
        ("", {"format": 1, "name": name, "kind": "diffusers", "pipeline": inspection.pipeline}),
        (
            "the parts of the pipeline; not to be changed",
            {
                "components": {each.name: each.class_name for each in inspection.components},
                "files": files,
            },
        ),
        ("how much of lora/ is added; 0 to 4", {"lora_scale": 1.0} if inspection.lora else {}),
    ]
    return _write([*parts, *_rest()])


def draft_program(paths: Sequence[Path], *, name: str) -> str:
    """Write down the files of a program, with the rest left open.

    Raises
    ------
    ConfigError
        A file is a link, no regular file, or can be written by others.
    """
    found = [read_program(path) for path in paths]
    files = {file.path: {"size_bytes": file.size_bytes, "sha256": file.sha256} for file in found}
    parts: list[tuple[str, dict[str, Any]]] = [
        ("", {"format": 1, "name": name, "kind": "external"}),
        ("the program, its script and whatever else of it must not change", {"files": files}),
    ]
    return _write([*parts, *_rest()])


def _rest() -> list[tuple[str, dict[str, Any]]]:
    """What only an operator knows."""
    terms = ["adult", "PA view", "AP view", *_FINDINGS]
    vocabulary = {
        "terms": terms,
        "views": {"adult": ["PA view", "AP view"]},
        "findings": {"adult": _FINDINGS},
        "synonyms": {},
        "counts": dict.fromkeys(terms, 0),
    }
    return [
        (
            "under which licence the weights and their outputs may be used, and where from",
            {"licence": "", "notes": ""},
        ),
        (
            "what the model can draw: bands (adult, child), views, findings; training images of "
            "each, at least 100",
            {"vocabulary": vocabulary},
        ),
        (
            "what the text encoder is told for each term, as the model was trained with",
            {
                "words": {term: term for term in terms},
                "template": "frontal chest radiograph, {terms}",
                "negative": "",
            },
        ),
        (
            "rows and columns are multiples of 32",
            {"sampling": {"steps": 30, "guidance": 4.0, "rows": 512, "columns": 512}},
        ),
        (
            "'not tested': whoever approves knows that copies of training images are not looked "
            "for; approved_on is a date, 2026-01-31",
            {"near_copy": "", "approved_by": "", "approved_on": ""},
        ),
    ]


def _write(parts: Sequence[tuple[str, dict[str, Any]]]) -> str:
    written = [
        (f"# {comment}\n" if comment else "") + yaml.dump(section, Dumper=_Plain, **_STYLE)
        for comment, section in parts
        if section
    ]
    return _HEAD + "\n" + "\n".join(written)


class _Plain(yaml.SafeDumper):
    """Writes a list twice rather than an alias, which the reader refuses."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  # as the base class has it
        return True
