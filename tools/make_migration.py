"""Write the next migration of a zone from the difference between tables and database.

Usage: python tools/make_migration.py identified|released "what changes" --rev-id 0002
"""

import argparse
import tempfile
from pathlib import Path

from alembic import command
from alembic.config import Config

import updp_node.storage
from updp_node.storage.database import migrate, sqlite_url


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("zone", choices=("identified", "released"))
    parser.add_argument("message")
    parser.add_argument("--rev-id", required=True)
    arguments = parser.parse_args()
    folder = Path(updp_node.storage.__path__[0]) / "migrations" / arguments.zone
    with tempfile.TemporaryDirectory() as scratch:
        url = sqlite_url(Path(scratch) / "scratch.sqlite")
        migrate(url, arguments.zone)
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.set_main_option("sqlalchemy.url", url)
        command.revision(config, arguments.message, autogenerate=True, rev_id=arguments.rev_id)


if __name__ == "__main__":
    main()
