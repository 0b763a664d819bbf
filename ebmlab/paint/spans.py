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
