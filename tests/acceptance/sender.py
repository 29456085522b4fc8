"""A sender that knows of each instance whether it was acknowledged, and tries again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydicom.filereader import read_file_meta_info
from pynetdicom import AE, _config, build_context
from pynetdicom.association import Association

_config.STORE_SEND_CHUNKED_DATASET = True  # a path is sent as it is, parsed by nobody
_config.LOG_HANDLER_LEVEL = "none"


@dataclass
class Sent:
    """What became of what was sent: last status by path, and the number of attempts."""

    statuses: dict[Path, int] = field(default_factory=dict)
    attempts: int = 0

    @property
    def acknowledged(self) -> list[Path]:
        return [path for path, status in self.statuses.items() if status == 0x0000]


def send(
    port: int, paths: Sequence[Path], *, calling: str = "PACS", called: str = "UPDP_NODE",
    sent: Sent | None = None, pause_s: float = 0, timeout_s: float = 30,
) -> Sent:  # fmt: skip
    """Send over one association until it is lost or everything is answered."""
    sent = sent or Sent()
    association = _associate(port, paths, calling, called, timeout_s)
    try:
        for path in paths:
            if not association.is_established:
                break
            sent.attempts += 1
            try:
                response = association.send_c_store(path)
            except (RuntimeError, OSError):
                break
            if "Status" in response:
                sent.statuses[path] = int(response.Status)
            time.sleep(pause_s)
    finally:
        if association.is_established:
            association.release()
    return sent


def send_until_acknowledged(
    port: int, paths: Sequence[Path], *, sent: Sent, pause_s: float, seconds: float,
    lanes: int = 4,
) -> None:  # fmt: skip
    """Send over several associations at once; what is not acknowledged is sent again."""
    deadline = time.monotonic() + seconds

    def work(mine: Sequence[Path]) -> None:
        while time.monotonic() < deadline:
            rest = [path for path in mine if sent.statuses.get(path) != 0x0000]
            if not rest:
                return
            send(port, rest[:25], sent=sent, pause_s=pause_s, timeout_s=15)
            time.sleep(0.2)

    in_lanes(work, [paths[lane::lanes] for lane in range(lanes)])


def in_lanes(work: Callable[[Sequence[Path]], None], lanes: Sequence[Sequence[Path]]) -> None:
    """Run work for each lane in a thread of its own and wait for all."""
    threads = [threading.Thread(target=work, args=(mine,)) for mine in lanes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _associate(
    port: int, paths: Sequence[Path], calling: str, called: str, timeout_s: float
) -> Association:
    contexts = {_context_of(path) for path in paths}
    entity = AE(calling)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = timeout_s
    entity.connection_timeout = timeout_s
    return entity.associate(
        "127.0.0.1", port, ae_title=called,
        contexts=[build_context(sop_class, syntax) for sop_class, syntax in sorted(contexts)],
    )  # fmt: skip


def _context_of(path: Path) -> tuple[str, str]:
    meta = read_file_meta_info(path)
    return str(meta.MediaStorageSOPClassUID), str(meta.TransferSyntaxUID)
