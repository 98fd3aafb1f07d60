"""Where the time went."""

import contextlib
import time
from collections.abc import Callable, Iterator


class Stopwatch:
    """Keeps the first and the last moment of each stage; stages overlap."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._spans: dict[str, tuple[float, float]] = {}

    def mark(self, stage: str) -> None:
        """Note that a stage is at work now."""
        now = self._clock()
        first, _ = self._spans.get(stage, (now, now))
        self._spans[stage] = (first, now)

    @contextlib.contextmanager
    def during(self, stage: str) -> Iterator[None]:
        """Note that a stage is at work for a while."""
        self.mark(stage)
        try:
            yield
        finally:
            self.mark(stage)

    def seconds(self) -> dict[str, float]:
        """Give how long each stage took, from its first to its last moment, and all of them."""
        spans = {stage: last - first for stage, (first, last) in self._spans.items()}
        return {**spans, "total": self._clock() - self._began}
