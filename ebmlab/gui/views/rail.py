"""What the timeline shows of a run, and which of its steps is meant by a place on it."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass

import numpy as np

from ebmlab.session.timeline import Moment
from ebmlab.session.trace import Series

CURVES = (("kl", "KL"), ("nll", "NLL"))
"""Columns of the exact figures, and what they are called; the first that there is any of is drawn."""
DEPTH = 4.0
"""Powers of ten that a KL is drawn over."""


@dataclass(frozen=True, eq=False)
class Rail:
    """The steps of a run from its first to its last, and what is known of them.

    Arguments:
        end: The step that the run has come to.
        kept: The steps that can be shown, rising.
        shown: The step that is shown; None for the present.
        pinned: The step that is compared with.
        moments: The steps that have a name, rising.
        exact: The history of the exact figures.
    """

    end: int = 0
    kept: tuple[int, ...] = ()
    shown: int | None = None
    pinned: int | None = None
    moments: tuple[Moment, ...] = ()
    exact: Series | None = None

    @property
    def here(self) -> int:
        """The step that is shown, of the past or of the present."""

        return self.end if self.shown is None else self.shown

    def nearest(self, step: float) -> int | None:
        """Returns the kept step that is the nearest; None for the present, which is the nearest beyond the last."""

        if not self.kept or step >= self.end:
            return None
        place = bisect_left(self.kept, step)
        return min(self.kept[max(place - 1, 0) : place + 1], key=lambda kept: abs(kept - step))

    def beside(self, step: int, places: int) -> int | None:
        """Returns the kept step so many places on, or back where negative; None beyond the last."""

        place = bisect_right(self.kept, step) - 1 if places > 0 else bisect_left(self.kept, step)
        place = max(place + places, 0)
        return self.kept[place] if place < len(self.kept) and self.kept[place] < self.end else None

    def moment_beside(self, step: int, forward: bool) -> int | None:
        """Returns the next step that has a name; None beyond the last, the first step of all before the first."""

        steps = [moment.step for moment in self.moments]
        if forward:
            return next((at for at in steps if at > step), None)
        return next((at for at in reversed(steps) if at < step), self.kept[0] if self.kept else None)

    def moment(self, step: int) -> Moment | None:
        """Returns the name of a step, if it has one."""

        return next((moment for moment in self.moments if moment.step == step), None)

    @property
    def column(self) -> tuple[str, str]:
        """The column of the exact figures that is drawn, and what it is called; empty if there is none."""

        if self.exact is not None:
            for name, label in CURVES:
                if np.isfinite(self.exact[name]).any():
                    return name, label
        return "", ""

    def figure(self, step: int) -> tuple[str, float] | None:
        """Returns name and value of the last exact figure up to a step; None where there is none."""

        name, label = self.column
        if self.exact is None or not name:
            return None
        past = self.exact.until(step)[name]
        return (label, float(past[-1])) if len(past) and np.isfinite(past[-1]) else None

    def curve(self, columns: int) -> np.ndarray:
        """Returns the exact figure over the run, with shape (n, 2): both in [0, 1], at most one for each column.

        A KL is drawn by its logarithm, so that the end of a run is told from its middle.
        """

        name, _ = self.column
        if self.exact is None or not name or self.end < 1:
            return np.empty((0, 2))
        x, y = self.exact["step"] / self.end, self.exact[name]
        fine = np.isfinite(y) & (x <= 1)
        x, y = x[fine], y[fine]
        if name == "kl" and len(y):
            y = np.log10(np.maximum(y, max(float(y.max()), 1e-12) / 10**DEPTH))
        _, last = np.unique((x * columns).astype(int)[::-1], return_index=True)
        rows = len(x) - 1 - last
        x, y = x[rows], y[rows]
        spread = float(y.max() - y.min()) if len(y) else 0.0
        height = (y - y.min()) / spread if spread > 0 else np.full(len(y), 0.5)
        return np.stack([x, height], axis=1)
