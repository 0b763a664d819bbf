from __future__ import annotations

import numpy as np

from ebmlab.engine.types import Window
from ebmlab.session.snapshot import Snapshot

BINS = 64
DECAY = 0.98
"""Share that is kept of the counts with every new set of particles: half a second or so is remembered."""


class Histogram:
    r"""The density of the particles over the last snapshots, counted in bins of the window.

    .. math:: c \leftarrow 0.98 \, c + n, \qquad \hat p = \frac{c}{N |b|}

    Here N counts all particles with the same decay, those outside the window too, and :math:`|b|` is the area of a bin.
    """

    def __init__(self) -> None:
        self._window: Window | None = None
        self._seen: np.ndarray | None = None
        self.clear()

    def clear(self) -> None:
        """Forgets every particle."""

        self._counts = np.zeros((BINS, BINS))
        self.total = 0.0

    def count(self, snapshot: Snapshot) -> None:
        """Adds the particles of a snapshot, once; a new window starts the count afresh."""

        if snapshot.particles is self._seen or not len(snapshot.particles):
            return
        if snapshot.lens.window != self._window:
            self._window = snapshot.lens.window
            self.clear()
        self._seen = snapshot.particles
        left, right, bottom, top = snapshot.lens.window
        with np.errstate(invalid="ignore"):
            place = (snapshot.particles - [left, bottom]) / [right - left, top - bottom] * BINS
        place = place[np.isfinite(place).all(-1) & (place >= 0).all(-1) & (place < BINS).all(-1)].astype(int)
        new = np.bincount(place[:, 1] * BINS + place[:, 0], minlength=BINS * BINS)
        self._counts = DECAY * self._counts + new.reshape(BINS, BINS)
        self.total = DECAY * self.total + len(snapshot.particles)

    @property
    def density(self) -> np.ndarray | None:
        """The density, with shape (64, 64), in rows from bottom to top; None before the first particle."""

        if self._window is None or not self.total:
            return None
        left, right, bottom, top = self._window
        cell = (right - left) * (top - bottom) / BINS**2
        return self._counts / (self.total * cell)
