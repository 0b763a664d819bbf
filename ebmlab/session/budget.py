"""How the runner shares its time between training and being watched."""

from __future__ import annotations

import math
from collections import deque

PICTURES = 0.2
"""Share of the time that pictures, the moving of particles included, may take while training runs."""
STUDIES = 0.1
"""Share of the time that exact figures, log Z and the gradient meter may take while training runs."""
PERIOD = 1 / 33
"""Seconds between pictures, at least."""
SLICE = 0.01
"""Seconds after which a step that takes longer is interrupted to read orders, at most."""
RESOLUTIONS = (64, 80, 96, 112, 128)


class Allowance:
    """A share of the passing time, saved up to a limit and spent in pieces."""

    def __init__(self, share: float, most: float = 0.05) -> None:
        self._share, self._most = share, most
        self._saved = 0.0

    def earn(self, seconds: float) -> None:
        """Adds the share of some time that has passed."""

        self._saved = min(self._saved + self._share * seconds, self._most)

    def spend(self, seconds: float) -> None:
        """Takes what a piece of work has cost; it may leave a debt, which limits how long the next one waits."""

        self._saved = max(self._saved - seconds, -self._most)

    @property
    def open(self) -> bool:
        """Whether there is any left."""

        return self._saved > 0


class Sharpness:
    """Chooses the resolution of pictures so that they cost no more than their share of the period between them."""

    def __init__(self) -> None:
        self._per_point = 0.0  # seconds, smoothed

    def learn(self, seconds: float, resolution: int) -> None:
        """Takes note of what a picture has cost."""

        cost = seconds / resolution**2
        self._per_point = 0.8 * self._per_point + 0.2 * cost if self._per_point else cost

    def choose(self, most: int, current: int) -> int:
        """Returns a resolution of at most so many points; it changes only where that gains or saves enough."""

        affordable = math.sqrt(PICTURES * PERIOD / self._per_point) if self._per_point else RESOLUTIONS[0]
        fitting = [r for r in RESOLUTIONS if r <= most and r <= affordable] or [min(RESOLUTIONS[0], most)]
        close = current <= most and 0.9 * current <= affordable <= 1.25 * current
        return current if close else fitting[-1]


class Rate:
    """Counts events per second over the last second or so."""

    def __init__(self) -> None:
        self._ticks: deque[tuple[float, int]] = deque()

    def tick(self, now: float, count: int) -> None:
        """Takes note of how many events there have been in all."""

        if not self._ticks or now - self._ticks[-1][0] > 0.1:
            self._ticks.append((now, count))
        while len(self._ticks) > 2 and now - self._ticks[0][0] > 1.5:
            self._ticks.popleft()

    def clear(self) -> None:
        """Starts counting afresh."""

        self._ticks.clear()

    @property
    def value(self) -> float:
        """Events per second; 0 before there are two readings."""

        if len(self._ticks) < 2:
            return 0.0
        (t0, n0), (t1, n1) = self._ticks[0], self._ticks[-1]
        return (n1 - n0) / (t1 - t0)
