"""Prompts are counted: how many subjects of a project hold each, durably and exactly.

A reservation is made in the transaction that records the plan, so that both survive a crash or
neither does. Made again for the same source image it finds itself. Two workers take turns: each
reservation first changes the row of its project, which locks it until the commit (PostgreSQL),
and SQLite admits one writer anyway.

Where this figure gates, nobody is released before enough subjects have come down the whole line
with the same prompt: granted together, they meet at `pass_barrier`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from updp_node.storage.tables import PromptProjectRow, PromptRow, StudyRow

_GRANTED = ("held", "ready", "released")
_DOWN_THE_LINE = ("ready", "released")
_ALL = ("waiting", *_GRANTED)
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Wish:
    """What a source image asks for.

    Attributes
    ----------
    project, subject_id, source_uid : str
    prompts : tuple of str
        Prompts that would do, the finest first.
    k_min : int
        Fewest subjects that may share it; 0 where this figure does not gate.
    """

    project: str
    subject_id: str
    source_uid: str
    prompts: tuple[str, ...]
    k_min: int = 0


@dataclass(frozen=True, slots=True)
class Reserved:
    """What was granted: the number of the prompt in the wish, or None for waiting.

    ``k_released`` counts the distinct subjects that hold it or were released with it; where the
    image waits, those that would share the finest one.
    """

    chosen: int | None
    k_released: int


class PromptDesk:
    """Where prompts are reserved, within one transaction.

    Parameters
    ----------
    session : sqlalchemy.orm.Session
        In a transaction that its owner commits.
    study_id : str
        Study of the images that ask.
    now : float
    """

    def __init__(self, session: Session, study_id: str, *, now: float) -> None:
        self._session = session
        self._study_id = study_id
        self._now = now

    def reserve(self, wish: Wish) -> Reserved:
        """Grant the finest prompt that enough subjects share, or let the image wait.

        Those who wait for a prompt are granted it together, as soon as they are enough; their
        studies are woken.
        """
        _lock(self._session, wish.project)
        mine = {row.prompt: row for row in self._rows_of(wish)}
        chosen = self._find_granted(wish, mine)
        if chosen is None:
            chosen = self._find_shared(wish)
        kept = wish.prompts if chosen is None else (chosen,)
        for prompt, row in mine.items():
            if row.state != "released" and prompt not in kept:
                self._session.delete(row)
        for prompt in kept:
            self._write(wish, prompt, mine.get(prompt), "waiting" if chosen is None else "held")
        self._session.flush()
        if chosen is None:
            return Reserved(None, self._count(wish, wish.prompts[0], _ALL))
        return Reserved(wish.prompts.index(chosen), self._count(wish, chosen, _GRANTED))

    def _find_granted(self, wish: Wish, mine: dict[str, PromptRow]) -> str | None:
        """What was granted stays granted; what was released stays if it is the finest."""
        if not wish.k_min:
            return wish.prompts[0]
        for prompt in wish.prompts:
            state = mine[prompt].state if prompt in mine else ""
            if state in {"held", "ready"} or (state == "released" and prompt == wish.prompts[0]):
                return prompt
        return None

    def _find_shared(self, wish: Wish) -> str | None:
        """The finest prompt that is common enough, with this subject, or now becomes so."""
        for prompt in wish.prompts:
            if self._count(wish, prompt, _GRANTED) >= wish.k_min:
                return prompt
        for prompt in wish.prompts:
            if self._count(wish, prompt, _ALL) >= wish.k_min:
                self._grant_waiting(wish.project, prompt)
                return prompt
        return None

    def _grant_waiting(self, project: str, prompt: str) -> None:
        """Everybody who waits for a prompt has it now, and waits for no other."""
        rows = self._session.scalars(
            select(PromptRow).where(
                PromptRow.project == project, PromptRow.prompt == prompt,
                PromptRow.state == "waiting",
            )
        ).all()  # fmt: skip
        for row in rows:
            row.state = "held"
            others = delete(PromptRow).where(
                PromptRow.project == project, PromptRow.source_uid == row.source_uid,
                PromptRow.state == "waiting", PromptRow.prompt != prompt,
            )  # fmt: skip
            self._session.execute(others)
        _wake(self._session, {row.study_id for row in rows}, self._now)

    def _rows_of(self, wish: Wish) -> Sequence[PromptRow]:
        query = select(PromptRow).where(
            PromptRow.project == wish.project, PromptRow.source_uid == wish.source_uid
        )
        return self._session.scalars(query).all()

    def _write(self, wish: Wish, prompt: str, row: PromptRow | None, state: str) -> None:
        if row is None:
            self._session.add(
                PromptRow(
                    project=wish.project, prompt=prompt, source_uid=wish.source_uid,
                    subject_id=wish.subject_id, study_id=self._study_id, state=state,
                    k_min=wish.k_min, reserved_at=self._now,
                )
            )  # fmt: skip
        elif row.state == "waiting":
            row.state, row.k_min = state, wish.k_min

    def _count(self, wish: Wish, prompt: str, states: Sequence[str]) -> int:
        """Distinct subjects at a prompt, the one that asks included."""
        others = PromptRow.subject_id != wish.subject_id
        return 1 + _count(self._session, wish.project, prompt, states, others)


def pass_barrier(session: Session, source_uid: str, *, now: float) -> bool:
    """Note that an image came down the line; whether it may be released now.

    Parameters
    ----------
    session : sqlalchemy.orm.Session
        In the transaction that records the release.
    source_uid : str
    now : float

    Returns
    -------
    bool
        False where the figure gates and too few others have come so far. The last one of a
        group wakes the studies of the others.
    """
    row = session.scalar(
        select(PromptRow).where(
            PromptRow.source_uid == source_uid, PromptRow.state.in_(("held", "ready"))
        )
    )
    if row is None:
        return True
    _lock(session, row.project)
    row.state = "ready"
    session.flush()
    if _count(session, row.project, row.prompt, _DOWN_THE_LINE) < row.k_min:
        return False
    row.state = "released"
    waiting = select(PromptRow.study_id).where(
        PromptRow.project == row.project, PromptRow.prompt == row.prompt,
        PromptRow.state == "ready",
    )  # fmt: skip
    _wake(session, set(session.scalars(waiting)), now)
    return True


def withdraw(session: Session, source_uids: Sequence[str]) -> None:
    """Images that are not going to be released count no longer; what was released does."""
    for start in range(0, len(source_uids), _AT_ONCE):
        chunk = source_uids[start : start + _AT_ONCE]
        session.execute(
            delete(PromptRow).where(PromptRow.source_uid.in_(chunk), PromptRow.state != "released")
        )


def _lock(session: Session, project: str) -> None:
    """Take turns: nobody else counts in this project until the commit."""
    table = PromptProjectRow
    changed = (
        update(table)
        .where(table.project == project)
        .values(reservations=table.reservations + 1)
        .returning(table.project)
    )
    if session.execute(changed).first() is None:
        session.add(PromptProjectRow(project=project, reservations=1))
        session.flush()


def _count(
    session: Session, project: str, prompt: str, states: Sequence[str], *more: ColumnElement[bool]
) -> int:
    query = select(func.count(func.distinct(PromptRow.subject_id))).where(
        PromptRow.project == project, PromptRow.prompt == prompt, PromptRow.state.in_(states), *more
    )
    return session.scalar(query) or 0


def _wake(session: Session, study_ids: set[str], now: float) -> None:
    """Let the scheduler claim studies again, as a report's deadline does."""
    if study_ids:
        session.execute(
            update(StudyRow).where(StudyRow.id.in_(study_ids)).values(report_deadline=now)
        )
