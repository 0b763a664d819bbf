r"""A field over the plane as a surface, seen by an orthographic camera; numpy only.

Valleys are mass: the height is the energy, cut off where its colours end, so that all beyond is a plate.

For each column of pixels the field is read along a line from near to far. With w how far away a point lies and h its
height, it appears at

.. math:: v = w \sin e + h \cos e

What is nearer hides what is not higher: point j is seen where :math:`v_j > \max_{i < j} v_i`. The running maximum
alone thus tells, exactly, which point each pixel shows, and whether anything else lies before or behind the surface.

References:
    | A two-space solution to the hidden line problem for plotting functions of two variables (Wright, 1973)
    | https://doi.org/10.1109/T-C.1973.223597
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from ebmlab.engine.types import Window
from ebmlab.paint.camera import Camera

RISE = 0.22
"""How high the plate is above the deepest valley, as a share of the window's diagonal."""
BASE = 0.1
"""How far the block goes on below the deepest valley, as a share of that height."""
SHADES = 64
"""Shades of each colour that are told apart."""
LIGHT = np.array([-0.42, 0.22, 0.88]) / math.hypot(0.42, 0.22, 0.88)
"""Where the light comes from: to the right, away, and up, as the camera sees it."""
AMBIENT = 0.42
"""Share of the light that comes from everywhere."""
EDGE = 0.12
"""Height below the plate within which a slope is no longer shaded."""
DENSE = 0.6
"""Points read along a line of sight for each pixel that it is long; between two the surface is straight."""
_MARGIN = 0.96


class Stand(NamedTuple):
    """How a window of the plane lies before the camera, on a rectangle of pixels."""

    window: Window
    camera: Camera
    width: int
    height: int

    @property
    def diagonal(self) -> float:
        """The diagonal of the window, in units of the plane."""

        return math.hypot(self.window[1] - self.window[0], self.window[3] - self.window[2])

    @property
    def scale(self) -> float:
        """Pixels per unit of the plane."""

        away, up = self.camera.tilt
        tall = self.diagonal * (away + up * RISE * (1 + BASE))
        return _MARGIN * self.camera.zoom * min(self.width / self.diagonal, self.height / tall)

    @property
    def centre(self) -> np.ndarray:
        """The point of the plane in the middle."""

        return np.array([self.window[0] + self.window[1], self.window[2] + self.window[3]]) / 2

    def seen(self, points: np.ndarray) -> np.ndarray:
        """Returns how far to the right and how far away points of the plane lie, both with shape (n, 2)."""

        return (points - self.centre) @ self.camera.turn.T

    def rows(self, away: np.ndarray, heights: np.ndarray) -> np.ndarray:
        """Returns at which pixel, counted from the bottom, what lies so far away at a height in [0, 1] appears."""

        back, up = self.camera.tilt
        return self.height / 2 + (away * back + (heights - 0.5) * (RISE * self.diagonal * up)) * self.scale


class Relief:
    """A surface on a rectangle of pixels.

    Arguments:
        heights: The field in [0, 1], with shape (rows, columns), in rows from bottom to top.
        window: The rectangle of the plane that it covers.
        stand: How the plane lies before the camera.
    """

    def __init__(self, heights: np.ndarray, window: Window, stand: Stand) -> None:
        self.stand, self._window, self._shape = stand, window, heights.shape
        self._cells = _cells(np.stack([heights, _shades(heights, window, stand)]).astype(np.float32))
        half = stand.diagonal / 2
        reach = math.ceil(min(half * stand.scale, stand.width / 2))
        self.columns = slice(stand.width // 2 - reach, stand.width // 2 + reach)
        across = (np.arange(-reach, reach) + 0.5 + stand.width // 2 - stand.width / 2) / stand.scale
        n = max(round(DENSE * 2 * half * stand.scale * stand.camera.tilt[0]), 160)
        self._away = ((2 * np.arange(n) + 1) / n - 1) * half
        columns, rows = (self._line(k, across)[None] + self._line(k, self._away, 1)[:, None] for k in (0, 1))
        self._values = self._read(columns, rows)  # (2, n, columns)
        inside = self._inside(columns, rows)
        self._first = np.where(inside.any(0), inside.argmax(0), n)
        self._rows = stand.rows(self._away[:, None].astype(np.float32), self._values[0])
        self._rows[~inside] = -1e6
        self._horizon = np.maximum.accumulate(self._rows, 0)

    def _line(self, k: int, along: np.ndarray, direction: int = 0) -> np.ndarray:
        """Returns what places to the right, or away, add to a coordinate of the lattice: k is 0 for columns."""

        low, high = self._window[2 * k : 2 * k + 2]
        cells = self._shape[1 - k] / (high - low)
        middle = (self.stand.centre[k] - low) * cells - 0.5 if direction == 0 else 0.0
        return (middle + along * (self.stand.camera.turn[direction, k] * cells)).astype(np.float32)

    def _inside(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns which places on the lattice lie in the window of the stand."""

        within = np.ones(columns.shape, bool)
        for k, at in ((0, columns), (1, rows)):
            (low, high), (first, last) = self._window[2 * k : 2 * k + 2], self.stand.window[2 * k : 2 * k + 2]
            cells = self._shape[1 - k] / (high - low)
            within &= (at >= (first - low) * cells - 0.5) & (at <= (last - low) * cells - 0.5)
        return within

    def paint(self, places: tuple[float, float], table: np.ndarray, wall: np.uint32, out: np.ndarray) -> None:
        """Paints the surface into the columns that it takes up; the rest stays as it is.

        Arguments:
            places: Of the lowest and the highest point in the colour table.
            table: A word for each of 256 places and each shade, with shape (256 * SHADES,).
            wall: The word of the sides of the block.
            out: The picture, with shape (height, width), its first row on top.
        """

        height, width = self.stand.height, self._rows.shape[1]
        covered = (self._horizon + np.float32(0.5)).clip(0, height).astype(np.int32)
        covered *= width
        covered += np.arange(width, dtype=np.int32)
        # How many points lie lower than each pixel is which of them it shows: the first that does not.
        marks = np.bincount(covered.ravel(), minlength=(height + 1) * width)[: height * width]
        shown = np.cumsum(marks.reshape(height, width), 0, dtype=np.int32)
        face = shown <= self._first
        pixel = np.arange(height, dtype=np.float32)[:, None] + np.float32(0.5)
        base = self.stand.rows(self._away[self._first.clip(0, len(self._away) - 1)], np.array(-BASE))
        picture = out[::-1, self.columns]
        picture[face & (self._first < len(self._away)) & (pixel > base)] = wall
        seen = np.flatnonzero((shown < len(self._away)) & ~face)
        row = seen // width
        column = seen - row * width
        tall, shade = self._between(np.take(shown, seen).astype(np.intp) * width + column, np.take(pixel, row))
        place = (places[0] + 0.5 + (places[1] - places[0]) * tall).astype(np.int32)
        words = picture.copy().ravel()
        words[seen] = table[place * SHADES + shade.astype(np.int32)]
        picture[:] = words.reshape(height, width)

    def _between(self, index: np.ndarray, pixel: np.ndarray) -> np.ndarray:
        """Returns height and shade where pixels lie between a point and the one before it, with shape (2, k)."""

        before = index - self._rows.shape[1]
        rows, values = self._rows.ravel(), self._values.reshape(2, -1)
        low = np.take(rows, before)
        share = ((pixel - low) / np.maximum(np.take(rows, index) - low, np.float32(1e-6))).clip(0, 1)
        starts = [np.take(value, before) for value in values]
        return np.stack([a + share * (np.take(value, index) - a) for a, value in zip(starts, values, strict=True)])

    def heights(self, points: np.ndarray) -> np.ndarray:
        """Returns the height of the surface at points of the plane, with shape (n,)."""

        (rows, columns), (left, right, bottom, top) = self._shape, self._window
        column = (points[:, 0] - left) * (columns / (right - left)) - 0.5
        row = (points[:, 1] - bottom) * (rows / (top - bottom)) - 0.5
        return self._read(column.astype(np.float32), row.astype(np.float32))[0]

    def pixels(self, points: np.ndarray, heights: np.ndarray, slack: float = 2.0) -> np.ndarray:
        """Returns where points appear, as pixels with shape (n, 2); NaN for what is hidden, or beyond the window.

        Arguments:
            points: Points of the plane, with shape (n, 2).
            heights: Their heights in [0, 1].
            slack: Pixels that a point may lie behind the surface and still be seen.
        """

        stand, n = self.stand, len(self._away)
        left, right, bottom, top = stand.window
        across, away = stand.seen(points).T
        found = np.stack([stand.width / 2 + across * stand.scale, stand.height - stand.rows(away, heights)], -1)
        place = ((away / stand.diagonal + 0.5) * n - 0.5).clip(0, n - 1)
        column = np.floor(found[:, 0]) - self.columns.start
        good = (points >= (left, bottom)).all(-1) & (points <= (right, top)).all(-1)
        good &= (column >= 0) & (column < self._rows.shape[1])
        at = np.where(good, column, 0).astype(np.intp), np.where(good, place, 0).astype(np.intp)
        hidden = self._horizon[at[1], at[0]] > stand.height - found[:, 1] + slack
        found[hidden | ~good] = np.nan
        return found

    def plane(self, x: float, y: float) -> tuple[float, float] | None:
        """Returns the point of the plane that a pixel shows; None where there is no surface."""

        column, row = math.floor(x) - self.columns.start, self.stand.height - y
        if not 0 <= column < self._rows.shape[1]:
            return None
        index = int(np.searchsorted(self._horizon[:, column], row))
        if not self._first[column] < index < len(self._away):
            return None
        seen = np.array([(math.floor(x) + 0.5 - self.stand.width / 2) / self.stand.scale, self._away[index]])
        at = self.stand.centre + seen @ self.stand.camera.turn
        return float(at[0]), float(at[1])

    def _read(self, columns: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Returns height and shade at places on the lattice, interpolated bilinearly, with shape (2, *)."""

        most = self._shape[1] - 2, self._shape[0] - 2
        c, r = columns.clip(0, most[0] + 1), rows.clip(0, most[1] + 1)
        i, j = np.minimum(c.astype(np.intp), most[0]), np.minimum(r.astype(np.intp), most[1])
        s, t = c - i.astype(np.float32), r - j.astype(np.float32)  # in single precision throughout: twice as fast
        cell = j * (most[0] + 1) + i
        found = np.empty((2, *c.shape), np.float32)
        for out, parts in zip(found, self._cells, strict=True):
            a, b, d, e = (np.take(part, cell, mode="clip") for part in parts)
            np.add(a + s * b, t * (d + s * e), out=out)
        return found


def shaded(colours: np.ndarray) -> np.ndarray:
    """Returns a colour map, with shape (256, 3), in every shade from dark to light, with shape (256 * SHADES, 3)."""

    brightest = 1 / (AMBIENT + (1 - AMBIENT) * LIGHT[2])  # so that the plate has the very colours of the map
    shades = brightest * (np.arange(SHADES) + 0.5) / SHADES
    return (colours[:, None] * shades[None, :, None]).clip(0, 255).astype(np.uint8).reshape(-1, 3)


def _cells(fields: np.ndarray) -> np.ndarray:
    """Returns what interpolates two fields, with shape (2, rows, columns), in each cell: with shape (2, 4, cells)."""

    a, b, c, d = fields[:, :-1, :-1], fields[:, :-1, 1:], fields[:, 1:, :-1], fields[:, 1:, 1:]
    return np.stack([a, b - a, c - a, a - b - c + d], 1).reshape(2, 4, -1)


def _shades(heights: np.ndarray, window: Window, stand: Stand) -> np.ndarray:
    """Returns how light each place is, in [0, SHADES), by Lambert's law."""

    rows, columns = heights.shape
    rise = RISE * stand.diagonal
    dy, dx = np.gradient(heights * rise, (window[3] - window[2]) / rows, (window[1] - window[0]) / columns)
    light = np.array([*(LIGHT[:2] @ stand.camera.turn), LIGHT[2]])
    lambert = ((light[2] - dx * light[0] - dy * light[1]) / np.sqrt(1 + dx**2 + dy**2)).clip(0, 1)
    # The edge of the plate is finer than the lattice: its steps would be seen.
    lambert = light[2] + (lambert - light[2]) * ((1 - heights) / EDGE).clip(0, 1)
    return (AMBIENT + (1 - AMBIENT) * lambert) * (SHADES - 1)
