r"""What the panes show follows from a snapshot by arithmetic alone.

.. math:: p_\theta(x) = \exp(-E_\theta(x) - \log Z_\theta)
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cached_property

import numpy as np

from ebmlab.engine.types import Window
from ebmlab.paint.projection import Point
from ebmlab.record.raster import nice
from ebmlab.session.snapshot import Snapshot

_OF_TARGET = ("target", "target_peak", "_target_top")


class Fields:
    """The densities of a snapshot, each made when first asked for.

    Arguments:
        snapshot: What the session sent.
        before: The fields of the snapshot before it; what has not changed is taken from there.
    """

    def __init__(self, snapshot: Snapshot, before: Fields | None = None) -> None:
        self.snapshot = snapshot
        if before is not None and before.snapshot.target is snapshot.target:
            kept = vars(before)
            vars(self).update({name: kept[name] for name in _OF_TARGET if name in kept})

    @cached_property
    def target(self) -> np.ndarray | None:
        """The target density p, with shape (resolution, resolution)."""

        log_p = self.snapshot.target
        return None if log_p is None else np.exp(log_p)

    @cached_property
    def log_model(self) -> np.ndarray | None:
        """The logarithm of the model density; None while log Z is not known, or if there is none."""

        energy, log_z = self.snapshot.energy, self.snapshot.log_z
        return None if energy is None or log_z is None or not math.isfinite(log_z) else -energy - log_z

    @cached_property
    def model(self) -> np.ndarray | None:
        """The model density."""

        return None if self.log_model is None else np.exp(self.log_model)

    @cached_property
    def difference(self) -> np.ndarray | None:
        """The model density less the target density."""

        return None if self.model is None or self.target is None else self.model - self.target

    @cached_property
    def change(self) -> np.ndarray | None:
        """The model density less that of the step that it is compared with."""

        pinned = self.snapshot.pinned
        if self.model is None or pinned is None or pinned.energy is None or pinned.log_z is None:
            return None
        return None if pinned.energy.shape != self.model.shape else self.model - np.exp(-pinned.energy - pinned.log_z)

    @property
    def unnormalisable(self) -> bool:
        """Whether the exact figures say that the energy has no normaliser; False while there are none."""

        figures = self.snapshot.figures
        return figures is not None and not figures.normalisable

    @cached_property
    def floor(self) -> float:
        """The least energy in the window."""

        return _extreme(self.snapshot.energy, np.min)

    @cached_property
    def target_peak(self) -> float:
        """The greatest log density of the target in the window."""

        return _extreme(self.snapshot.target, np.max)

    @property
    def model_peak(self) -> float:
        """The greatest log density of the model in the window."""

        return -self.floor - (self.snapshot.log_z or 0.0)

    @property
    def top(self) -> float:
        """The density at the end of the colours of them all: the target's greatest, rounded up."""

        return self._target_top or _top(self.model) or 1.0

    @cached_property
    def _target_top(self) -> float:
        return _top(self.target)


def _top(density: np.ndarray | None) -> float:
    """Returns the greatest density, rounded up; 0 if there is none."""

    if density is None:
        return 0.0
    peak = float(density.max())
    if not math.isfinite(peak):
        peak = float(np.nan_to_num(density, posinf=0).max())
    return nice(peak) if peak > 0 else 0.0


def _extreme(field: np.ndarray | None, which: Callable[[np.ndarray], float]) -> float:
    """Returns the least or greatest finite value of a field; 0 if there is none."""

    if field is None:
        return 0.0
    value = float(which(field))
    if math.isfinite(value):
        return value
    finite = field[np.isfinite(field)]
    return float(which(finite)) if finite.size else 0.0


def probe(field: np.ndarray | None, window: Window, at: Point) -> float | None:
    """Returns a field at a point of the plane, interpolated bilinearly; None beyond the window or without a field.

    Next to a value that is not finite the nearest one is given.
    """

    if field is None:
        return None
    rows, columns = field.shape
    column = (at[0] - window[0]) / (window[1] - window[0]) * columns - 0.5
    row = (at[1] - window[2]) / (window[3] - window[2]) * rows - 0.5
    if not (-0.5 <= column <= columns - 0.5 and -0.5 <= row <= rows - 0.5):
        return None
    column, row = min(max(column, 0), columns - 1), min(max(row, 0), rows - 1)
    c, r = min(int(column), columns - 2), min(int(row), rows - 2)
    s, t = column - c, row - r
    corners = field[r : r + 2, c : c + 2].astype(float)
    if not np.isfinite(corners).all():
        return float(field[round(row), round(column)])
    return float(np.array([1 - t, t]) @ corners @ np.array([1 - s, s]))


def slope(field: np.ndarray | None, window: Window, at: Point) -> Point | None:
    """Returns the gradient of a field at a point by central differences a cell to either side; None near the border."""

    if field is None:
        return None
    dx = (window[1] - window[0]) / field.shape[1]
    dy = (window[3] - window[2]) / field.shape[0]
    ends = [
        probe(field, window, (at[0] + sign * i * dx, at[1] + sign * j * dy))
        for i, j in ((1, 0), (0, 1))
        for sign in (1, -1)
    ]
    if any(value is None or not math.isfinite(value) for value in ends):
        return None
    east, west, north, south = (float(value) for value in ends if value is not None)
    return (east - west) / (2 * dx), (north - south) / (2 * dy)
