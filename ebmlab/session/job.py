from __future__ import annotations

import time
from collections.abc import Callable, Iterator


class Job:
    """A study that is made again and again, each time on the weights as they are when it begins.

    Arguments:
        begin: Starts the study; its pieces take some milliseconds each, and it records its own result.
        weight: Its share of the time, relative to the other jobs.
    """

    def __init__(self, begin: Callable[[], Iterator[object]], weight: float = 1.0) -> None:
        self._begin, self._weight = begin, weight
        self._pieces: Iterator[object] | None = None
        self._done: object = None
        self._version: object = None
        self._spent = 0.0

    def pending(self, version: object) -> bool:
        """Returns whether there is anything to find out about the weights of a version."""

        return self._pieces is not None or self._done != version

    @property
    def waited(self) -> float:
        """How much of the time it has had; the job with the least goes first."""

        return self._spent / self._weight

    def advance(self, version: object) -> bool:
        """Does a piece; returns whether that was the last."""

        if self._pieces is None:
            self._pieces, self._version = self._begin(), version
        start = time.perf_counter()
        over = next(self._pieces, self) is self
        self._spent += time.perf_counter() - start
        if over:
            self._pieces, self._done = None, self._version
        return over

    def drop(self) -> None:
        """Forgets what has been begun, because what it rests on has changed."""

        self._pieces = self._done = None

    def keep_pace(self, other: float) -> None:
        """Takes up the share of a job that joins late, so that it does not crowd out the others."""

        self._spent = max(self._spent, other * self._weight)
