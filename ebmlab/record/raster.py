"""Fields as pictures; numpy only.

A field lies on the cell centres of a window, in rows from bottom to top; a picture has its first row on top.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

Window = tuple[float, float, float, float]


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

        place = (np.asarray(field, np.float32) - np.float32(self.low)) * np.float32(255 / (self.high - self.low))
        place = np.where(np.isnan(place), np.float32(self.ground), place)
        return place.clip(0, 255)


class Raster:
    """Pictures of one size, made again and again in the same memory.

    Arguments:
        rows: Pixels from top to bottom.
        columns: Pixels from left to right.
    """

    def __init__(self, rows: int, columns: int) -> None:
        self._values = np.empty((rows, columns), np.float32)
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

        values, (rows, columns) = self._values, self._values.shape
        up = _weights(field.shape[0], window[2:], (view[3], view[2]), rows)
        across = _weights(field.shape[1], window[:2], view[:2], columns)
        # Half a place more, and the cast rounds; weights are nought beyond the window, which leaves the ground there.
        places = levels.places(field) + np.float32(0.5 - levels.ground)
        np.matmul(up @ places, across.T, out=values)
        if levels.ground:
            np.add(values, np.float32(levels.ground), out=values)
        np.copyto(self._places, values, casting="unsafe")
        return self._places


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
def _weights(n: int, span: tuple[float, float], view: tuple[float, float], pixels: int) -> np.ndarray:
    """Returns the matrix, with shape (pixels, n), that interpolates between n cell centres; 0 beyond the span."""

    at = view[0] + (view[1] - view[0]) * (np.arange(pixels) + 0.5) / pixels
    place = (at - span[0]) / (span[1] - span[0]) * n - 0.5
    inside = (place >= -0.5) & (place <= n - 0.5)
    place = place.clip(0, n - 1)
    lower = place.astype(int).clip(0, max(n - 2, 0))
    matrix = np.zeros((pixels, n), np.float32)
    rows = np.arange(pixels)
    matrix[rows, lower] = 1 - (place - lower)
    matrix[rows, np.minimum(lower + 1, n - 1)] += place - lower
    return matrix * inside[:, None]
