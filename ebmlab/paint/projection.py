"""Between the plane and the pixels of a pane."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from ebmlab.engine.types import Window

Point = tuple[float, float]


class Projection(NamedTuple):
    """A window of the plane on a rectangle of pixels, a unit being as long across as up."""

    window: Window
    width: int
    height: int

    @classmethod
    def fit(cls, window: Window, width: int, height: int) -> Projection:
        """Extends a window, about its centre, until it fills the pixels at one scale."""

        left, right, bottom, top = window
        width, height = max(width, 1), max(height, 1)
        unit = max((right - left) / width, (top - bottom) / height)
        x, y = (left + right) / 2, (bottom + top) / 2
        w, h = unit * width / 2, unit * height / 2
        return cls((x - w, x + w, y - h, y + h), width, height)

    @property
    def scale(self) -> float:
        """Pixels per unit of the plane."""

        return self.width / (self.window[1] - self.window[0])

    def pixels(self, points: np.ndarray) -> np.ndarray:
        """Maps points of the plane to pixels, both with shape (n, 2)."""

        return (points - [self.window[0], self.window[3]]) * [self.scale, -self.scale]

    def pixel(self, point: Point) -> QPointF:
        """Maps a point of the plane to a pixel."""

        return QPointF((point[0] - self.window[0]) * self.scale, (self.window[3] - point[1]) * self.scale)

    def plane(self, pixel: QPointF) -> Point:
        """Maps a pixel to a point of the plane."""

        return self.window[0] + pixel.x() / self.scale, self.window[3] - pixel.y() / self.scale

    def rect(self, window: Window) -> QRectF:
        """Maps a window of the plane to a rectangle of pixels."""

        return QRectF(self.pixel((window[0], window[3])), self.pixel((window[1], window[2])))


def zoomed(window: Window, factor: float, about: Point) -> Window:
    """Returns the window scaled by a factor, with a point of the plane left where it is."""

    left, right, bottom, top = window
    x, y = about
    return (
        x + (left - x) * factor,
        x + (right - x) * factor,
        y + (bottom - y) * factor,
        y + (top - y) * factor,
    )


def moved(window: Window, dx: float, dy: float) -> Window:
    """Returns the window moved by a vector of the plane."""

    left, right, bottom, top = window
    return left + dx, right + dx, bottom + dy, top + dy
