"""The two zones on disk: their folders and databases, made and migrated at start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine

from updp_node.config import Config
from updp_node.storage.database import migrate, open_engine, sqlite_url
from updp_node.storage.files import Staging
from updp_node.storage.folders import make_folder, share_with_group

MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Zones:
    """Where everything lies.

    Attributes
    ----------
    identified, released : pathlib.Path
        Roots of the two zones.
    identified_url, released_url : str
        Their databases.
    released_group : str or None
        Operating-system group that may read the released zone.
    """

    identified: Path
    released: Path
    identified_url: str
    released_url: str
    released_group: str | None = None

    @classmethod
    def of(cls, config: Config) -> Zones:
        """The zones of a configuration; nothing is made."""
        identified, released = config.identified, config.released
        return cls(
            identified,
            released,
            config.storage.database or sqlite_url(identified / "index.sqlite"),
            config.storage.released_database or sqlite_url(released / "index.sqlite"),
            config.storage.released_group,
        )

    def prepare(self) -> None:
        """Make the folders and bring the databases to the newest schema.

        Only this user enters them; the released zone is opened for reading to the configured
        group, which is the research side's where that runs as another user.

        Raises
        ------
        ConfigError
            The group is not there, or this user may not give files to it.
        SpoolError
            A folder cannot be made.
        """
        for folder in (self.identified, self.released, self.released / "files"):
            make_folder(folder)
        migrate(self.identified_url, "identified")
        migrate(self.released_url, "released")
        if self.released_group is not None:
            share_with_group(self.released, self.released_group)

    def open_identified(self) -> Engine:
        """Engine of the identified index."""
        return open_engine(self.identified_url)

    def open_released(self) -> Engine:
        """Engine of the released index."""
        return open_engine(self.released_url)


def staging_area(config: Config) -> Staging:
    """The staging area of a node, in the identified zone."""
    return Staging(config.identified / "staged", config.storage.reserve_mib * MIB)
