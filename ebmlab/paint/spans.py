"""What an axis spans, and how values are spread over it. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Span = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Scale:
    """Whether steps and values are spread by their logarithm."""

    x: bool = False
    y: bool = False

    def to(self, values: np.ndarray, log: bool) -> np.ndarray:
        """Returns where values stand on an axis; NaN for what a logarithm cannot show."""

        if not log:
            return values
        return np.log10(values, out=np.full(len(values), np.nan), where=values > 0)


def runs(points: np.ndarray) -> list[np.ndarray]:
    """Splits points where one is not finite; a point alone is no line."""

    finite = np.isfinite(points).all(-1)
    if finite.all():
        return [points] if len(points) > 1 else []
    parts = np.split(np.arange(len(points)), np.flatnonzero(np.diff(finite)) + 1)
    return [points[part] for part in parts if len(part) > 1 and finite[part[0]]]


def moved(span: Span, share: float) -> Span:
    """Returns what an axis spans after it was moved by a share of that."""

    step = share * (span[1] - span[0])
    return span[0] + step, span[1] + step


def zoomed(span: Span, factor: float, share: float) -> Span:
    """Returns what an axis spans after it was stretched about a place, given as a share of it."""

    about = span[0] + share * (span[1] - span[0])
    return about + (span[0] - about) * factor, about + (span[1] - about) * factor


def clipped(line: np.ndarray, box: tuple[float, float, float, float]) -> list[np.ndarray]:
    """Cuts a polyline, with shape (n, 2), off at a box of left, right, top and bottom.

    References:
        | A new concept and method for line clipping (Liang & Barsky, 1984)
    """

    start, step = line[:-1], np.diff(line, axis=0)
    low, high = np.array([box[0], box[2]]), np.array([box[1], box[3]])
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.stack([(low - start) / step, (high - start) / step])
    still, outside = step == 0, (start < low) | (start > high)
    enter = np.where(still, np.where(outside, np.inf, -np.inf), t.min(0)).max(-1).clip(0, None)
    leave = np.where(still, np.inf, t.max(0)).min(-1).clip(None, 1)
    seen = np.flatnonzero(enter < leave)
    pieces = np.split(seen, np.flatnonzero((np.diff(seen) > 1) | (leave[seen[:-1]] < 1)) + 1) if len(seen) else []
    return [
        np.concatenate([start[p[:1]] + enter[p[0]] * step[p[:1]], start[p] + leave[p][:, None] * step[p]])
        for p in pieces
    ]
