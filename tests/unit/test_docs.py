"""Documents that cannot rot: what they say of the code is asked of the code."""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.main import get_command

from tools.generate_reference import render_pages
from tools.source_codes import find_delivery_codes, find_log_events, find_reason_codes
from updp_node import cli
from updp_node.pixels.filter import load_default_vocabulary

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = sorted(
    [ROOT / "certs/README.md", ROOT / "profiles/README.md", *ROOT.glob("*.md")]
    + [page for page in ROOT.glob("docs/**/*.md")]
)
OPERATE = (ROOT / "docs/how-to/operate.md").read_text(encoding="utf-8")
AGAIN = "run .venv/bin/python -m tools.generate_reference"


def _without_code(text: str) -> str:
    return re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)


def _links(page: Path) -> list[str]:
    return re.findall(r"\]\(([^)\s]+)\)", _without_code(page.read_text(encoding="utf-8")))


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _written_codes(text: str) -> set[str]:
    return set(re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)*)`", text))


def _section(text: str, heading: str) -> str:
    return text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def _first_cells(section: str) -> set[str]:
    return {code for line in section.splitlines() if line.startswith("| `")
            for code in _written_codes(line.split("|")[1])}  # fmt: skip


@pytest.fixture(scope="module")
def generated() -> dict[str, tuple[str, str]]:
    """Text as it stands and as it would be written, by the name of the page."""
    pages = render_pages()
    return {path.name: (path.read_text(encoding="utf-8"), text) for path, text in pages.items()}


@pytest.mark.parametrize(
    "name", ["cli.md", "configuration.md", "conformance.md", "errors.md", "profiles.md"]
)
def test_a_generated_page_is_what_the_code_says_today(
    generated: dict[str, tuple[str, str]], name: str
) -> None:
    committed, today = generated[name]
    assert committed == today, AGAIN


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    broken = []
    for link in _links(page):
        if re.match(r"[a-z]+:", link):
            continue
        file, _, anchor = link.partition("#")
        target = page.parent / file if file else page
        if not target.exists() or (anchor and anchor not in _anchors(target)):
            broken.append(link)
    assert not broken


@pytest.mark.parametrize("name", ["setup", "demo", "check", "accept", "bench"])
def test_a_script_of_the_readme_is_there_and_can_be_run(name: str) -> None:
    assert f"scripts/{name}" in "".join(page.read_text("utf-8") for page in PAGES)
    assert os.access(ROOT / "scripts" / name, os.X_OK)


def test_operating_a_node_explains_every_reason_code() -> None:
    assert not find_reason_codes().keys() - _written_codes(_section(OPERATE, "Quarantine"))


def test_operating_a_node_explains_every_code_of_a_delivery() -> None:
    told = _written_codes(_section(OPERATE, "A destination is down"))
    assert not find_delivery_codes().keys() - told


def test_operating_a_node_explains_every_log_event() -> None:
    assert not find_log_events().keys() - _written_codes(_section(OPERATE, "Log"))


def test_operating_a_node_explains_nothing_that_is_gone() -> None:
    known = find_reason_codes().keys() | find_delivery_codes().keys() | find_log_events().keys()
    for heading in ("Log", "Quarantine", "A destination is down"):
        assert not _first_cells(_section(OPERATE, heading)) - known


def test_the_architecture_page_names_every_layer_and_contract() -> None:
    page = (ROOT / "docs/explanation/architecture.md").read_text(encoding="utf-8")
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    for contract in contracts["tool"]["importlinter"]["contracts"]:
        assert f"**{contract['name'].rstrip('.')}.**" in page
        for layer in contract.get("layers", ()):
            row = ", ".join(f"`{module.strip()}`" for module in layer.split("|"))
            assert f"\n| {row} |" in page


def test_the_privacy_page_states_the_bound_of_the_shipped_model() -> None:
    page = (ROOT / "docs/explanation/privacy.md").read_text(encoding="utf-8")
    vocabulary = load_default_vocabulary()
    assert f"{len(vocabulary.list_prompts())} prompts" in page
    assert f"**{vocabulary.count_bits():.2f} bits**" in page


def _commands(page: Path) -> Iterator[list[str]]:
    """The words of every `updp-node` command in a console block of a page."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for block in re.findall(r"```console\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            command = re.split(r"\s#|\s\|", line)[0]
            if command.startswith("$ updp-node "):
                yield shlex.split(command)[2:]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_in_a_document_exists_with_its_options(page: Path) -> None:
    for words in _commands(page):
        command = get_command(cli.app)
        for word in words:
            if not hasattr(command, "commands"):
                break
            command = command.commands[word]
        options = {option for each in command.params for option in each.opts}
        used = {word for word in words if word.startswith("-")}
        assert used <= options | {"--help"}, words
