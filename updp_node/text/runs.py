"""One text in many pieces: found as it reads, replaced where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from updp_node.text.content import ContentScrubber


@dataclass(slots=True)
class Leaf:
    """A piece of a text, and what parts it from the next as a reader sees it."""

    text: str
    ends_with: str = ""


def scrub_leaves(leaves: Sequence[Leaf], writer: ContentScrubber) -> None:
    """Scrub pieces as the one text that they are; the pieces are changed.

    What replaces an identifier stands in the first piece that the identifier is in.

    Raises
    ------
    InstanceError
        As the text engine does.
    """
    starts: list[int] = []
    joined = ""
    for leaf in leaves:
        starts.append(len(joined))
        joined += leaf.text + leaf.ends_with
    scrubbed = writer.scrub(joined)
    made = zip(scrubbed.spans, scrubbed.replacements, strict=True)
    cuts = [(span.start, span.end, text) for span, text in made]
    for leaf, start in zip(leaves, starts, strict=True):
        leaf.text = _plain(_cut(leaf.text, start, cuts))


def _cut(text: str, start: int, cuts: Sequence[tuple[int, int, str]]) -> str:
    """A piece that begins at `start`, without what the cuts take and with what they put in."""
    end, reached, parts = start + len(text), start, []
    for low, high, instead in cuts:
        if high <= start or low >= end:
            continue
        parts.append(text[reached - start : max(low, start) - start])
        if low >= start:
            parts.append(instead)
        reached = min(high, end)
    parts.append(text[reached - start :])
    return "".join(parts)


def _plain(text: str) -> str:
    """Text without control and format characters that nobody reads."""
    return "".join(each for each in text if each.isprintable() or each.isspace())
