"""What a checkup says: statements, some of them proved."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from updp_node.certificates import describe_certificate
from updp_node.config import Tls
from updp_node.errors import NodeError

_SOON_DAYS = 30


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement. ``verdict``: ok (proved), note (said), warning, fault (cannot be used)."""

    verdict: str
    text: str


def prove(text: str, proof: Callable[[], object]) -> Statement:
    """A statement with its proof; the fault says why it fails."""
    try:
        result = proof()
    except (NodeError, OSError) as error:
        reason = str(error) if isinstance(error, NodeError) else type(error).__name__
        return Statement("fault", f"{text}: {reason}")
    return Statement("ok", f"{text}{result if isinstance(result, str) else ''}")


def explain_certificates(section: Tls) -> list[Statement]:
    """The certificates of one side of a connection, and how long they last."""
    lines = []
    for path in (section.certificate, section.ca):
        if path is None or not path.exists():
            continue
        for each in describe_certificate(path, now=datetime.now(UTC)):
            verdict = "fault" if each.days_left < 0 else "ok"
            soon = "; renew soon" if 0 <= each.days_left < _SOON_DAYS else ""
            lines.append(Statement(verdict, f"{path.name}: {each.days_left} days left{soon}"))
    return lines
