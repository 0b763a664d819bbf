"""From the place of a slider to a number and back, and numbers as text."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ebmlab.spec import Knob

TICKS = 1000


@dataclass(frozen=True, kw_only=True)
class Scale:
    """The places 0 to ``ticks`` of a slider, spread evenly or by equal factors over a range.

    A logarithmic scale that begins at 0 has it at place 0, and then goes on from the 1e-5th part of its end.
    """

    low: float
    high: float
    log: bool = False
    whole: bool = False

    @property
    def ticks(self) -> int:
        """The last place; on a short range of whole numbers, one for each."""

        span = self.high - self.low
        return int(span) if self.whole and not self.log and span <= TICKS else TICKS

    @property
    def _floor(self) -> float:
        return self.low if self.low > 0 else self.high * 1e-5

    def value(self, place: int) -> float:
        """Returns the number at a place, rounded to what the slider can tell apart; the ends are exact."""

        if place <= 0 or place >= self.ticks:
            return self._round(self.low if place <= 0 else self.high, exact=True)
        share = place / self.ticks
        if self.log:
            return self._round(self._floor * (self.high / self._floor) ** share)
        return self._round(self.low + share * (self.high - self.low))

    def place(self, value: float) -> int:
        """Returns the place nearest to a number; an end, where it lies beyond."""

        if self.log:
            if value < self._floor:
                return 0
            share = math.log(value / self._floor) / math.log(self.high / self._floor)
        else:
            share = (value - self.low) / (self.high - self.low)
        return round(min(max(share, 0.0), 1.0) * self.ticks)

    def _round(self, value: float, exact: bool = False) -> float:
        if self.whole:
            return int(value if exact else float(f"{value:.3g}") if value > 1000 else round(value))
        if exact:
            return value
        if self.log:
            return float(f"{value:.2g}")
        return round(value, max(0, 2 - math.floor(math.log10(self.high - self.low))))


def scale(k: Knob, whole: bool) -> Scale | None:
    """Returns the scale of a knob's slider; None where it has no range that a slider could show."""

    low, high = k.soft or (k.low, k.high)
    if low is None or high is None or not low < high:
        return None
    return Scale(low=low, high=high, log=k.scale == "log" and high > 0 and low >= 0, whole=whole)


def written(value: float) -> str:
    """Returns a number as short as it can be written without loss."""

    mantissa, e, exponent = repr(value).partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}" if e else mantissa


def read(text: str) -> float | str:
    """Returns the number that a person typed, or the text itself if it is none."""

    tidy = text.strip().replace("−", "-").replace(",", ".")
    try:
        return int(tidy)
    except ValueError:
        pass
    try:
        return float(tidy)
    except ValueError:
        return text.strip()
