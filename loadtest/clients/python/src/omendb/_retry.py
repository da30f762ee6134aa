"""When a call that failed is made again."""

from __future__ import annotations

import random
from dataclasses import dataclass

import grpc

from omendb._errors import OmenDBError


@dataclass(frozen=True)
class RetryPolicy:
    """Calls are repeated while the deadline allows: what the server asks to repeat, and, where repeating is safe, what
    found no server.

    Attributes:
        enabled: whether at all.
        first_delay: seconds before the second attempt; each later pause is twice as long.
        max_delay: longest pause.
    """

    enabled: bool = True
    first_delay: float = 0.05
    max_delay: float = 2.0

    def delay(self, error: OmenDBError, attempt: int, repeatable: bool) -> float | None:
        """Seconds to wait before the next attempt; None: there is none.

        Args:
            attempt: attempts made so far.
            repeatable: whether the call may be applied twice.
        """
        if not self.enabled:
            return None
        if error.retry_after is None and not (repeatable and _found_no_server(error)):
            return None
        pause = min(self.max_delay, self.first_delay * 2 ** min(attempt - 1, 16))
        # Half of it by chance: clients that were turned away together do not come back together.
        return max(error.retry_after or 0.0, pause * (0.5 + random.random() / 2))


def _found_no_server(error: OmenDBError) -> bool:
    """A connection that breaks in the middle is INTERNAL at times, and then has no reason of the server's."""
    return error.code is grpc.StatusCode.UNAVAILABLE or (error.code is grpc.StatusCode.INTERNAL and not error.reason)
