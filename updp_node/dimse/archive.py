"""What the research side needs of an archive; given by `updp_node.research`."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from updp_node.dimse.answers import Answer
from updp_node.query.query import Query, Selection

Each = TypeVar("Each")


class ArchiveError(Exception):
    """The archive failed; its message is the kind of error, without values."""


class Stored(Protocol):
    """One released instance, as the index knows it."""

    @property
    def sop_class_uid(self) -> str:
        """SOP Class UID."""

    @property
    def sop_instance_uid(self) -> str:
        """SOP Instance UID."""

    @property
    def transfer_syntax_uid(self) -> str:
        """Of the file."""

    @property
    def file(self) -> str:
        """Where the archive finds it; a name without meaning here."""


class StoredFile(Protocol):
    """Where the data set of an instance lies."""

    @property
    def path(self) -> Path:
        """The Part 10 file."""

    @property
    def transfer_syntax_uid(self) -> str:
        """Of the data set."""

    @property
    def data_offset(self) -> int:
        """Where the data set begins, in bytes."""

    @property
    def data_size(self) -> int:
        """Length of the data set in bytes."""


class Archive(Protocol):
    """Released instances, by project. Methods may raise anything; it is told without values."""

    def admit(
        self, calling_ae_title: str, address: str, certificate: bytes | None
    ) -> frozenset[str]:
        """Projects that a peer may see; empty refuses the association. Certificate in DER."""

    def stored_syntaxes(self, projects: frozenset[str]) -> Mapping[str, Sequence[str]]:
        """Transfer syntaxes of the instances of each SOP Class; may be empty where unknown."""

    def search(self, query: Query, projects: frozenset[str]) -> Iterator[Answer | None]:
        """Entities that meet a query; None now and then while it finds none."""

    def select(self, selection: Selection, projects: frozenset[str]) -> Iterator[Stored]:
        """Instances that are selected, in the same order each time."""

    def open(self, stored: Stored) -> StoredFile:
        """Find the data set of an instance."""

    def transcode(
        self, stored: Stored, accepted: Sequence[str]
    ) -> AbstractContextManager[StoredFile]:
        """Make a data set in one of the accepted transfer syntaxes, for a while.

        Raises
        ------
        InstanceError
            It cannot be done.
        """


def guarded(iterator: Iterator[Each]) -> Generator[Each, None, None]:
    """The same, but what the archive raises becomes an `ArchiveError`."""
    try:
        yield from iterator
    except Exception as error:  # noqa: BLE001  # whatever it raises is told by its kind
        raise ArchiveError(type(error).__name__) from None
