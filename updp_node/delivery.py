"""Bringing released instances to their destinations: at least once, the identical file.

Every attempt sends what a destination has not confirmed, over one association, and notes
each confirmation as it comes. A crash in between only sends the identical file again under
the identical UID.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from updp_node import verify
from updp_node.config import Config
from updp_node.errors import InstanceError, PeerError
from updp_node.forward import Destination, Outcome, delay_s
from updp_node.log import get_logger
from updp_node.model import Verified
from updp_node.storage.delivery_index import DeliveryIndex, Owed


@dataclass(frozen=True)
class Deliveries:
    """Attempts at deliveries.

    Attributes
    ----------
    config : Config
    index : DeliveryIndex
    destinations : Mapping[str, Destination]
        By name.
    """

    config: Config
    index: DeliveryIndex
    destinations: Mapping[str, Destination]

    def attempt(self, run_id: str, destination: str) -> None:
        """Send once what a destination is owed of a run, and note what became of it."""
        owed = self.index.owed(run_id, destination)
        by_uid = {each.sop_instance_uid: each for each in owed}
        log = get_logger().bind(run_id=run_id, destination=destination)
        done = 0
        try:
            for outcome in self.destinations[destination].send(self._reaffirm(owed, destination)):
                done += outcome.delivered
                self._note(by_uid[outcome.sop_instance_uid], destination, outcome)
        except PeerError as error:
            self.postpone(run_id, destination, _code_of(error))
            return
        log.info("delivery-attempted", count=done, status=f"{done} of {len(owed)}")

    def postpone(self, run_id: str, destination: str, code: str) -> None:
        """Put off everything a destination is owed of a run, longer after every attempt."""
        owed = self.index.owed(run_id, destination)
        attempt = max((each.attempts for each in owed), default=0) + 1
        wait_s = self._delay_s(attempt)
        self.index.postpone(run_id, destination, code=code, next_try_at=time.time() + wait_s)
        get_logger().warning(
            "delivery-postponed", run_id=run_id, destination=destination, attempt=attempt,
            count=len(owed), reason=code, duration_s=round(wait_s, 1),
        )  # fmt: skip

    def _reaffirm(self, owed: Sequence[Owed], destination: str) -> list[Verified]:
        """The files as the gate saw them; one that is not is never sent."""
        affirmed = []
        for each in owed:
            try:
                path = self.config.released / each.file
                affirmed.append(verify.reaffirm(path, each.sha256))
            except InstanceError as error:
                get_logger().error(
                    "released-file-unusable", destination=destination, code=error.code
                )
                self.index.refused(each.release_id, destination, code=error.code, next_try_at=None)
        return affirmed

    def _note(self, owed: Owed, destination: str, outcome: Outcome) -> None:
        if outcome.delivered:
            self.index.delivered([owed.release_id], destination, now=time.time())
            return
        attempt = owed.attempts + 1
        again = outcome.retryable or attempt < self.config.work.attempts
        next_try_at = time.time() + self._delay_s(attempt) if again else None
        code = outcome.reason.value
        self.index.refused(owed.release_id, destination, code=code, next_try_at=next_try_at)
        get_logger().warning("instance-refused", destination=destination, code=code,
                             attempt=attempt)  # fmt: skip

    def _delay_s(self, attempt: int) -> float:
        work = self.config.work
        return delay_s(attempt, base=work.retry_base_s, cap=work.retry_cap_s, jitter=random.random)


def _code_of(error: PeerError) -> str:
    """The first word of a peer error, which is its code."""
    return str(error).split(":", maxsplit=1)[0][:64]
