"""How often and how long to ask again: bounded attempts, back-off with jitter, one budget of waiting.

A source's own word (Retry-After) counts for more than ours. What would take longer than the budget is
deferred to the next run, not waited for.
"""

import numpy as np

from tasks.settings_schema import NetworkSettings
from tasks.sources._errors import SourceError

FIRST_WAIT_SECONDS = 0.5


class Attempts:
    """The attempts at one request."""

    def __init__(self, network: NetworkSettings, jitter: np.random.Generator) -> None:
        self._network = network
        self._jitter = jitter
        self._made = 0
        self._waited = 0.0

    def seconds_until_next(self, error: SourceError) -> float:
        """After a failure: how long to wait before asking again.

        Raises:
            SourceError: that failure, or `deferred` where the wait would exceed the budget; do not ask again.
        """
        self._made += 1
        if not error.is_transient or self._made >= self._network.attempts:
            raise error
        own = FIRST_WAIT_SECONDS * 2 ** (self._made - 1) * (0.5 + float(self._jitter.random()))
        wait = max(own, error.retry_after or 0.0)
        self._waited += wait
        if self._waited > self._network.retry_budget_seconds:
            raise SourceError(
                "deferred", f"{error} Waiting {wait:.0f} s is over this run's budget."
            ) from error
        return wait
