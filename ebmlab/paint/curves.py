"""What a chart draws: curves over steps, thinned to what a screen can show. No Qt."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Generic, Literal, NamedTuple, TypeVar

import numpy as np

Role = Literal["exact", "target", "model", "second", "muted"]
Dash = Literal["solid", "dashed", "dotted"]
Shown = TypeVar("Shown")

POINTS = 1000
ROWS = 1 << 16

METHODS: tuple[tuple[Role, Dash], ...] = (
    ("model", "solid"),
    ("second", "solid"),
    ("model", "dashed"),
    ("second", "dashed"),
    ("model", "dotted"),
    ("second", "dotted"),
)
"""How the first, second, third ... of several methods are drawn."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Curve:
    """A figure over the steps of a run, or over whatever else the chart's axis counts.

    Arguments:
        key: What it is known by from one snapshot to the next.
        label: What the legend calls it.
        x: The steps, with shape (n,), never falling.
        y: The values, with shape (n,); NaN where there is none.
        error: Half the height of its band, with shape (n,).
        role: Its colour: ink for what is exact, blue for the target, orange and violet for what the model estimates.
        dash: How its line is broken, so that it is told apart without colour.
        marked: Whether each point is marked by a dot, where there are few.
        hollow: Which of the dots are hollow, since they are not to be trusted, with shape (n,).
        shown: Whether it is visible until somebody says otherwise.
        help: One sentence about it.
    """

    key: str
    label: str
    x: np.ndarray
    y: np.ndarray
    error: np.ndarray | None = None
    role: Role = "exact"
    dash: Dash = "solid"
    marked: bool = False
    hollow: np.ndarray | None = None
    shown: bool = True
    help: str = ""


class Reading(NamedTuple):
    """What a chart shows of a snapshot, or of whatever else it is about."""

    curves: tuple[Curve, ...] = ()
    note: str = ""  # figures beside the title
    guide: float | None = None  # where a dashed line says what is ideal
    within: tuple[float, float] | None = None  # values that the axis always spans
    most: float = np.inf  # value that the axis does not go beyond by itself
    places: tuple[float, ...] = ()  # where the axis across has its numbers; empty for round ones


class Source(ABC, Generic[Shown]):
    """What a chart is about: a title, and how to read its curves off a snapshot, or off something else."""

    name: ClassVar[str]
    linear: ClassVar[bool] = False  # True where logarithmic values make no sense
    spread: ClassVar[tuple[bool, bool]] = (False, False)  # whether the axes, across and up, begin as logarithmic ones

    @property
    def across(self) -> str:
        """What the axis across counts, unless the steps of a run: then nothing, and it ends at the run's step."""

        return ""

    @property
    @abstractmethod
    def title(self) -> str:
        """What the header says."""

    @property
    @abstractmethod
    def empty(self) -> str:
        """What stands in the place of curves that are still to come."""

    @abstractmethod
    def read(self, snapshot: Shown) -> Reading:
        """Returns the curves so far."""


def thinned(x: np.ndarray, y: np.ndarray, points: int = POINTS) -> np.ndarray:
    """Returns the indices that draw a curve as all its points would: the least and greatest value of each bucket.

    Buckets are powers of two, so that they stay where they are while the curve grows and nothing shimmers.
    """

    n = len(x)
    stride = _power_of_two(n / ROWS)
    index = np.arange(0, n, stride)
    size = _power_of_two(2 * len(index) / points)
    if size <= 1:
        return index
    full = len(index) // size * size
    buckets = y[index[:full]].reshape(-1, size)
    first = np.arange(0, full, size)
    low = np.where(np.isnan(buckets), np.inf, buckets).argmin(1) + first
    high = np.where(np.isnan(buckets), -np.inf, buckets).argmax(1) + first
    return index[np.unique(np.concatenate([low, high, np.arange(full, len(index))]))]


def visible(curve: Curve, low: float, high: float, points: int = POINTS) -> Curve:
    """Returns the part of a curve between two steps, with a neighbour on either side, thinned."""

    first = max(int(np.searchsorted(curve.x, low)) - 1, 0)
    last = int(np.searchsorted(curve.x, high, side="right")) + 1
    x, y = curve.x[first:last], curve.y[first:last]
    index = thinned(x, y, points)
    error = None if curve.error is None else curve.error[first:last][index]
    hollow = None if curve.hollow is None else curve.hollow[first:last][index]
    return replace(curve, x=x[index], y=y[index], error=error, hollow=hollow)


def span(curves: Sequence[Curve], within: tuple[float, float] | None = None, log: bool = False) -> tuple[float, float]:
    """Returns the values that an axis should span: all but the outermost hundredth, and where each curve is now.

    A logarithmic axis leaves out what is not above 0, and has its margins in decades. Of curves whose points are marked
    all are seen, with their errors.
    """

    few = any(c.marked for c in curves)
    values = [y for c in curves if (y := _finite(c, few, log)).size]
    if not values:
        return within or (0.0, 1.0)
    if log:
        low, high = span([replace(curves[0], y=np.log10(np.concatenate(values)), error=None)])
        return 10**low, 10**high
    low, high = np.quantile(np.concatenate(values), [0.0, 1.0] if few else [0.01, 0.99])
    now = [y[-1] for y in values]
    low, high = min(low, *now, *(within or ())), max(high, *now, *(within or ()))
    margin = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    return float(low - margin), float(high + margin)


def _finite(curve: Curve, errors: bool, log: bool) -> np.ndarray:
    """Returns the values of a curve that an axis can show, and the ends of its band if they count."""

    y = curve.y
    if errors and curve.error is not None:
        y = np.concatenate([y - curve.error, y + curve.error, y])  # where the curve is now comes last
    return y[np.isfinite(y) & ((y > 0) | (not log))]


def nearest(curve: Curve, step: float) -> tuple[float, float, float | None] | None:
    """Returns step, value and error of the point of a curve nearest to a step; None if it has no point."""

    if not len(curve.x):
        return None
    i = int(np.searchsorted(curve.x, step))
    i = min(max(i, 0), len(curve.x) - 1)
    if i and abs(curve.x[i - 1] - step) <= abs(curve.x[i] - step):
        i -= 1
    return float(curve.x[i]), float(curve.y[i]), None if curve.error is None else float(curve.error[i])


def table(curves: Sequence[Curve], across: str = "step") -> str:
    """Returns every point of the curves as tab-separated text with a heading."""

    lines = [f"curve\t{across}\tvalue\tstderr"]
    for c in curves:
        errors = np.full(len(c.x), np.nan) if c.error is None else c.error
        lines += [
            f"{c.label}\t{x:.0f}\t{y:.10g}\t{'' if np.isnan(e) else f'{e:.6g}'}"
            for x, y, e in zip(c.x, c.y, errors, strict=True)
        ]
    return "\n".join(lines) + "\n"


def _power_of_two(ratio: float) -> int:
    return 1 << max(int(np.ceil(np.log2(max(ratio, 1.0)))), 0)
