"""C-MOVE's side towards the destination: which contexts, over which association.

References
----------
PS3.4 C.4.2.2 and C.4.2.3: behaviour of C-MOVE SCU and SCP. PS3.8 9.3.2.2: context ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from updp_node.dimse.archive import Stored, StoredFile
from updp_node.dimse.commands import CommandError
from updp_node.dimse.outgoing import (
    MoveTarget,
    OutgoingAssociation,
    Proposal,
    request_association,
)
from updp_node.dimse.pdata import DamagedDataError
from updp_node.dimse.research_contexts import NATIVE_SYNTAXES
from updp_node.dimse.retrieval import Channel
from updp_node.errors import PeerError

_MOST_CONTEXTS = 128


class Mover:
    """Sends instances to a move destination, over more associations where contexts do not suffice.

    Parameters
    ----------
    target : MoveTarget
    own_ae_title : str
    originator : tuple of str and int
        AE title and Message ID of the C-MOVE.
    timeout_s : float
        Longest silence of the destination.
    is_stopping : callable
    """

    def __init__(
        self, target: MoveTarget, *, own_ae_title: str, originator: tuple[str, int],
        timeout_s: float, is_stopping: Callable[[], bool],
    ) -> None:  # fmt: skip
        self._target = target
        self._own_ae_title = own_ae_title
        self._originator = originator
        self._timeout_s = timeout_s
        self._is_stopping = is_stopping
        self._groups: list[list[Proposal]] = []
        self._group_of: dict[str, int] = {}
        self._current: int | None = None
        self._association: OutgoingAssociation | None = None
        self._channel: Channel | None = None

    def prepare(self, syntaxes: Mapping[str, frozenset[str]]) -> None:
        """Plan the presentation contexts for what will come."""
        self._groups = list(propose(syntaxes))
        self._group_of = {
            uid: index for index, group in enumerate(self._groups) for uid, _ in group
        }

    def contexts(self, sop_class_uid: str) -> Mapping[str, int]:
        """Contexts for instances of a SOP Class, by transfer syntax.

        Raises
        ------
        PeerError
            The destination is not reached or does not accept an association.
        """
        group = self._group_of.get(sop_class_uid)
        if group is None:
            return {}
        if group != self._current or self._channel is None:
            self._open(group)
        return self._channel.contexts.get(sop_class_uid, {}) if self._channel else {}

    def store(self, stored: Stored, content: StoredFile) -> int:
        """Send one instance as `Channel.store`.

        Raises
        ------
        PeerError
            The association was lost.
        """
        if self._channel is None:
            raise PeerError("no association")
        try:
            return self._channel.store(stored, content)
        except (OSError, DamagedDataError, CommandError) as error:
            self._drop()
            raise PeerError(f"association lost: {type(error).__name__}") from None

    def close(self) -> None:
        """Release the association, if there is one."""
        if self._association is not None:
            self._association.release()
        self._association = self._channel = self._current = None

    def _open(self, group: int) -> None:
        self.close()
        association = request_association(
            self._target,
            self._own_ae_title,
            self._groups[group],
            timeout_s=self._timeout_s,
            is_stopping=self._is_stopping,
        )
        self._association, self._current = association, group
        self._channel = Channel(
            association.writer, association.contexts, association.await_stored, self._originator
        )

    def _drop(self) -> None:
        if self._association is not None:
            self._association.abort()
        self._association = self._channel = self._current = None


def propose(syntaxes: Mapping[str, frozenset[str]]) -> Iterator[list[Proposal]]:
    """Presentation contexts for instances, at most 128 for one association.

    Every stored transfer syntax has a context of its own, so that the destination cannot choose
    another where it accepts the stored one; a further context has what can be transcoded to.
    """
    group: list[Proposal] = []
    for uid, stored in sorted(syntaxes.items()):
        own: list[Proposal] = [(uid, (syntax,)) for syntax in sorted(stored)]
        others = tuple(syntax for syntax in NATIVE_SYNTAXES if syntax not in stored)
        needed = [*own, (uid, others)] if others else own
        if group and len(group) + len(needed) > _MOST_CONTEXTS:
            yield group
            group = []
        group += needed[:_MOST_CONTEXTS]
    if group:
        yield group
