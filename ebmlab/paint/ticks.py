"""Where the numbers of an axis stand and what they say. No Qt."""

from __future__ import annotations

import math
from typing import NamedTuple

from ebmlab.record.raster import nice


class Tick(NamedTuple):
    """A place on an axis, as its own coordinate, with what is written there."""

    at: float
    text: str


def ticks(low: float, high: float, most: int, log: bool = False) -> tuple[Tick, ...]:
    """Returns the ticks of an axis between two of its coordinates, at most so many, at round values.

    Arguments:
        low: Where the axis begins; the decimal logarithm of the value if the axis is logarithmic.
        high: Where it ends, likewise.
        most: How many ticks find room.
        log: Whether the axis is logarithmic.
    """

    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        return ()
    if log and high - low > 1:
        decades = range(math.ceil(low), math.floor(high) + 1, max(math.ceil((high - low) / most), 1))
        return tuple(Tick(k, f"{10.0**k:g}") for k in decades)
    if log:
        return tuple(Tick(math.log10(t.at), t.text) for t in ticks(10**low, 10**high, most) if t.at > 0)
    step = nice((high - low) / max(most, 1))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(Tick(i * step, _text(i * step, step)) for i in range(first, last + 1))


def _text(value: float, step: float) -> str:
    if value and not 1e-4 < abs(value) < 1e7:
        return f"{value:.3g}".replace("-", "−")
    places = max(-math.floor(math.log10(step) + 1e-9), 0)
    return f"{value:,.{places}f}".replace("-", "−")
