"""DICOMweb over a zone as a process of its own: ``python -m tests.integration.web_process``."""

from __future__ import annotations

import sys
from pathlib import Path

from updp_node.config.research import Web
from updp_node.dicomweb.app import make_app
from updp_node.dicomweb.server import WebServer
from updp_node.log import configure_log
from updp_node.storage.research_engine import open_research_engine
from updp_node.storage.research_index import ResearchIndex
from updp_node.storage.tokens import Tokens


def main() -> None:
    """Serve the zone of the first argument on the port of the second."""
    root, port = Path(sys.argv[1]), int(sys.argv[2])
    configure_log(console=False)
    engine = open_research_engine(f"sqlite:///{root / 'index.sqlite'}")
    web = Web(port=port)
    server = WebServer(make_app(ResearchIndex(engine), Tokens(engine), root, web), web)
    server.start()
    server.wait()


if __name__ == "__main__":
    main()
