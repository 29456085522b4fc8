"""The audit of a node: both zones read, neither changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from updp_node.audit.counts import count_passage
from updp_node.audit.groups import describe_groups, measure_groups, read_characteristics
from updp_node.config import Config
from updp_node.errors import ConfigError
from updp_node.evaluation.figure import Figure, Measurements, Section, not_measured
from updp_node.evaluation.report import Report
from updp_node.storage.audit_index import AuditIndex, list_released
from updp_node.storage.research_engine import open_research_engine
from updp_node.zones import Zones


def audit_node(
    config: Config,
    *,
    since: datetime | None,
    now: datetime,
    advance: Callable[[], None] = lambda: None,
) -> Report:
    """Count what a node did; safe beside one that runs, for nothing is opened for writing.

    Parameters
    ----------
    config : Config
    since : datetime or None
        With time zone. Counts begin there; groups are of everything released ever, because that
        is what recipients hold.
    now : datetime
    advance : callable
        Called for every released object read.

    Raises
    ------
    ConfigError
        The node has not been started yet.
    """
    zones = Zones.of(config)
    for zone in (zones.identified, zones.released):
        if not zone.is_dir():
            raise ConfigError("the node has not been started yet", file=str(zone))
    identified = open_research_engine(zones.identified_url)
    released = open_research_engine(zones.released_url)
    try:
        index = AuditIndex(identified, since.timestamp() if since else 0.0)
        found = read_characteristics(list_released(released), zones.released, advance)
        figures = (*count_passage(index), *_measure_prompts(index), *measure_groups(found))
    finally:
        identified.dispose()
        released.dispose()
    return Report(
        kind="audit", title=f"Releases of project {config.project.name}",
        measurements=Measurements(figures), verdicts=(), sections=(Section.RELEASES,), made_at=now,
        facts=(
            ("Counted since", f"{since:%Y-%m-%d}" if since else "the beginning"),
            ("Counted until", f"{now.astimezone(UTC):%Y-%m-%d %H:%M} UTC"),
            ("Groups", "over everything released so far"),
        ),
    )  # fmt: skip


def _measure_prompts(index: AuditIndex) -> Iterator[Figure]:
    sizes = index.prompts()
    if sizes:
        note = "a patient with several prompts counts in each of their groups"
        yield from describe_groups("prompt", sizes, note)
        return
    why = "no counterpart was released"
    yield not_measured("audit.k.prompt", Section.RELEASES, "Smallest group by prompt", why)
