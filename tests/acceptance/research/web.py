"""Asking by HTTP, with everything that comes back kept whole: status, headers, body."""

from __future__ import annotations

import http.client
from dataclasses import dataclass

from tests.acceptance.research.process import ResearchNode


@dataclass(frozen=True)
class Reply:
    """An HTTP answer as it came."""

    status: int
    headers: str
    body: bytes

    @property
    def everything(self) -> bytes:
        return self.headers.encode() + b"\n" + self.body


def fetch(
    node: ResearchNode, path: str, *, token: str | None = None, accept: str | None = None
) -> Reply:
    """GET, the path sent as it is given."""
    connection = http.client.HTTPConnection("127.0.0.1", node.web_port, timeout=60)
    headers = {}
    if token is not None:
        headers["Authorization"] = f"Bearer {token}"
    if accept is not None:
        headers["Accept"] = accept
    connection.putrequest("GET", path, skip_accept_encoding=True)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    answer = connection.getresponse()
    told = "\n".join(f"{name}: {value}" for name, value in answer.getheaders())
    reply = Reply(answer.status, told, answer.read())
    connection.close()
    return reply


def make_token(node: ResearchNode, project: str, name: str = "tester") -> str:
    """A token by the command line."""
    code, told = node.cli("token", "add", "--project", project, "--name", name)
    assert code == 0, told
    return told.strip().splitlines()[-1].strip()


def token_ids(node: ResearchNode) -> dict[str, str]:
    """Ids of the tokens by name, as the command line lists them."""
    found = {}
    for line in node.cli("token", "list")[1].splitlines():
        cells = [cell.strip() for cell in line.split("│")]
        if len(cells) > 3 and cells[1]:
            found[cells[2]] = cells[1]
    return found
