"""Fields as pictures; numpy only.

A field lies on the cell centres of a window, in rows from bottom to top; a picture has its first row on top.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

Window = tuple[float, float, float, float]

_BLOCK = 1 << 15  # pixels at a time, few enough for the processor's nearer memory


class Levels(NamedTuple):
    """How values become places in a colour map of 256.

    Arguments:
        low: The value of the first colour; whatever is beyond takes it too.
        high: The value of the last colour, likewise; it may be below low.
        ground: The place of what has no value, and of what lies beyond the field.
    """

    low: float
    high: float
    ground: float = 0.0

    @classmethod
    def about_zero(cls, level: float) -> Levels:
        """Returns levels from -level to level, whose middle recedes."""

        return cls(-level, level, 127.5)

    def places(self, field: np.ndarray) -> np.ndarray:
        """Returns the place of each value as a real number in [0, 255], float32."""

        span = self.high - self.low
        with np.errstate(all="ignore"):
            place = (np.asarray(field, np.float32) - np.float32(self.low)) * np.float32(255 / span if span else 0.0)
        place[np.isnan(place)] = self.ground
        return place.clip(0, 255)


class Between(NamedTuple):
    """Where some pixels lie among cell centres."""

    lower: np.ndarray  # the centre before each
    share: np.ndarray  # of the centre after it
    inside: np.ndarray  # whether the pixel lies within the field


class Raster:
    """Pictures of one size, made again and again in the same memory.

    Arguments:
        rows: Pixels from top to bottom.
        columns: Pixels from left to right.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._block = min(rows, max(_BLOCK // columns, 1))
        self._values, self._change = np.empty((2, self._block, columns), np.float32)
        self._places = np.empty((rows, columns), np.uint8)

    def enlarge(self, field: np.ndarray, levels: Levels, window: Window, view: Window) -> np.ndarray:
        """Returns the place in the colour map of each pixel, with shape (rows, columns), uint8.

        Places are interpolated bilinearly, not colours, so that every pixel has a colour of the map. The array is the
        same at each call.

        Arguments:
            field: Values at the cell centres of the window, in rows from bottom to top.
            levels: How they become places.
            window: The rectangle of the plane that the field covers.
            view: The rectangle that the picture covers.
        """

        rows, columns = self._places.shape
        up = _between(field.shape[0], window[2:], (view[3], view[2]), rows)
        across = _between(field.shape[1], window[:2], view[:2], columns)
        # Half a place more, and the cast rounds; beyond the window all is nought, which leaves the ground there.
        wide = _widened(levels.places(field) + np.float32(0.5 - levels.ground), across)
        steps = np.diff(wide, axis=0, append=wide[-1:])
        for start in range(0, rows, self._block):
            block = slice(start, min(start + self._block, rows))
            self._blend(wide, steps, Between(*(part[block] for part in up)), levels.ground, self._places[block])
        return self._places

    def _blend(self, wide: np.ndarray, steps: np.ndarray, up: Between, ground: float, out: np.ndarray) -> None:
        values, change = self._values[: len(out)], self._change[: len(out)]
        np.take(wide, up.lower, axis=0, out=values, mode="clip")
        np.take(steps, up.lower, axis=0, out=change, mode="clip")
        np.multiply(change, up.share[:, None], out=change)
        np.add(values, change, out=values)
        if not up.inside.all():
            values[~up.inside] = 0
        if ground:
            np.add(values, np.float32(ground), out=values)
        np.copyto(out, values, casting="unsafe")


def paint(field: np.ndarray, colours: np.ndarray, levels: Levels) -> np.ndarray:
    """Returns a field in colours, a pixel for each value, with shape (rows, columns, 3), uint8.

    Arguments:
        field: Values, with shape (rows, columns), in rows from bottom to top.
        colours: A colour map, with shape (256, 3).
        levels: How values become places in it.
    """

    return colours[(levels.places(field[::-1]) + np.float32(0.5)).astype(np.uint8)]


def nice(value: float) -> float:
    """Returns the least of 1, 2, 5 times a power of ten that is no less than a positive value, for steady levels."""

    power = 10.0 ** np.floor(np.log10(value))
    return float(next(m * power for m in (1, 2, 5, 10) if m * power >= value * (1 - 1e-9)))


@lru_cache(maxsize=32)
def _between(n: int, span: tuple[float, float], view: tuple[float, float], pixels: int) -> Between:
    at = view[0] + (view[1] - view[0]) * (np.arange(pixels) + 0.5) / pixels
    place = (at - span[0]) / (span[1] - span[0]) * n - 0.5
    inside = (place >= -0.5) & (place <= n - 0.5)
    place = place.clip(0, n - 1)
    lower = place.astype(np.intp).clip(0, max(n - 2, 0))
    return Between(lower, (place - lower).astype(np.float32), inside)


def _widened(values: np.ndarray, across: Between) -> np.ndarray:
    """Interpolates along the rows; sums rather than a matrix product, for which BLAS would wake all its threads."""

    turned = np.ascontiguousarray(values.T)
    wide = np.take(turned, across.lower, axis=0)
    change = np.take(np.diff(turned, axis=0, append=turned[-1:]), across.lower, axis=0)
    change *= across.share[:, None]
    wide += change
    if not across.inside.all():
        wide[~across.inside] = 0
    return np.ascontiguousarray(wide.T)
