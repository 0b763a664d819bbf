"""The painter of a pane that shows a field as a surface, with contour lines and points lying on it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath

from ebmlab.engine.oracle import Mode
from ebmlab.engine.types import Window
from ebmlab.paint import overlays as over
from ebmlab.paint.backdrop import Pace, traced
from ebmlab.paint.camera import Camera
from ebmlab.paint.look import mix
from ebmlab.paint.page import Page
from ebmlab.paint.projection import Point, Projection
from ebmlab.paint.relief import Relief, Stand, shaded
from ebmlab.paint.shapes import drawing, faded, packed, path, pen
from ebmlab.paint.shows import Picture
from ebmlab.paint.spans import runs

CROSS = 7
"""Pixels of each arm of the cross that marks the point under the cursor."""


EDGE = 6.0
"""Pixels that the rim of the block may lie behind it: the steps of its outline must not break it."""


class View(NamedTuple):
    """What of a field is seen, and from where."""

    field: Window  # the rectangle of the plane that the field covers
    shown: Window  # the one that the block is cut from
    camera: Camera
    lines: bool  # whether contour lines are wanted


class SurfacePainter:
    """Paints a field as a surface. What it painted last is what points are hidden by.

    Arguments:
        pace: How fine the contour lines are.
    """

    def __init__(self, pace: Pace) -> None:
        self._nodes = pace.nodes
        self._image, self._ratio = QImage(), 1.0
        self._relief: Relief | None = None
        self._field: np.ndarray | None = None  # held, so that its identity stays its own
        self._made_of: tuple[object, ...] = ()
        self._lines = QPainterPath()

    def paint(self, painter: QPainter, page: Page, shown: Picture, view: View) -> None:
        """Paints the surface and its contour lines; a picture without a field is ground alone."""

        if shown.field is None or shown.colours is None:
            self._relief, self._made_of = None, ()
            painter.fillRect(page.rect, QColor(page.theme.palette.panel))
            return
        made_of = (id(shown.field), shown.levels, page, view)
        if made_of != self._made_of:
            self._made_of, self._field = made_of, shown.field
            self._raise(page, shown, view)
        painter.drawImage(0, 0, self._image)
        if page.vector:
            self._draw_lines(painter, page)

    def _raise(self, page: Page, shown: Picture, view: View) -> None:
        assert shown.field is not None
        assert shown.colours is not None
        palette, ratio = page.theme.palette, page.ratio
        width, height = round(page.width * ratio), round(page.height * ratio)
        heights = 1 - shown.levels.places(shown.field) / np.float32(255)
        self._relief = Relief(heights, view.field, Stand(view.shown, view.camera, width, height))
        self._image, self._ratio = QImage(width, height, QImage.Format.Format_RGB32), ratio
        self._image.fill(QColor(palette.panel))
        words = np.frombuffer(self._image.bits(), np.uint32).reshape(height, width)
        table = packed(shaded(shown.colours))
        self._relief.paint((255.0, 0.0), table, np.uint32(mix(palette.line, palette.panel, 0.65).rgba()), words)
        self._image.setDevicePixelRatio(ratio)
        self._lines = self._traced(shown, view)
        if not page.vector:
            with drawing(self._image) as painter:
                self._draw_lines(painter, page)

    def _traced(self, shown: Picture, view: View) -> QPainterPath:
        """Returns what is seen of the block's rim and of the contour lines."""

        rim = runs(self._pixels(_rim(view.shown), EDGE))
        lines = [] if shown.lines is None else traced(shown.lines, shown.at, view.field, self._nodes)
        if not (view.lines and lines):
            return path(rim)
        pixels = self._pixels(np.concatenate(lines))
        parts = np.split(pixels, np.cumsum([len(line) for line in lines])[:-1])
        return path([*rim, *(run for part in parts for run in runs(part))])

    def _draw_lines(self, painter: QPainter, page: Page) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.strokePath(self._lines, pen(faded(page.theme.palette.ink, 0.38)))

    def draw_points(self, glass: over.Glass, points: np.ndarray, colour: str, past: Sequence[np.ndarray] = ()) -> None:
        """Draws the points that are not hidden as dots, with trails if there is a past."""

        if self._relief is not None:
            over.draw_points(self._lying(glass), self._flat(points), colour, [self._flat(former) for former in past])

    def draw_modes(self, glass: over.Glass, modes: Sequence[Mode]) -> None:
        """Draws the modes that are not hidden."""

        if self._relief is not None and modes:
            places = self._flat(np.array([(mode.x, mode.y) for mode in modes]), keep=True)
            seen = [m._replace(x=x, y=y) for m, (x, y) in zip(modes, places.tolist(), strict=True) if x == x]
            over.draw_modes(self._lying(glass), seen)

    def draw_cross(self, painter: QPainter, page: Page, at: Point) -> None:
        """Marks a point of the plane, if it is not hidden."""

        if self._relief is None:
            return
        ((x, y),) = self._pixels(np.array([at])).tolist()
        if x == x:
            painter.setPen(pen(page.theme.palette.muted, 1.5))
            painter.drawLine(QPointF(x - CROSS, y), QPointF(x + CROSS, y))
            painter.drawLine(QPointF(x, y - CROSS), QPointF(x, y + CROSS))

    def plane(self, pixel: QPointF) -> Point | None:
        """Returns the point of the plane that a pixel shows; None where there is no surface."""

        return None if self._relief is None else self._relief.plane(pixel.x() * self._ratio, pixel.y() * self._ratio)

    def _pixels(self, points: np.ndarray, slack: float = 2.0) -> np.ndarray:
        assert self._relief is not None
        with np.errstate(invalid="ignore"):
            finite = np.where(np.abs(points) < 1e6, points, 1e6)
            return self._relief.pixels(finite, self._relief.heights(finite), slack) / self._ratio

    def _flat(self, points: np.ndarray, keep: bool = False) -> np.ndarray:
        """Returns points as those of a plane that lies flat on the pixels; without the hidden ones, unless kept."""

        if not len(points):
            return points
        flat = self._pixels(points) * [1.0, -1.0]
        return flat if keep else flat[np.isfinite(flat).all(-1)]

    def _lying(self, glass: over.Glass) -> over.Glass:
        """Returns the same to paint on, for points that are pixels."""

        width, height = glass.projection.width, glass.projection.height
        return glass._replace(projection=Projection((0.0, float(width), float(-height), 0.0), width, height))


def _rim(window: Window) -> np.ndarray:
    """Returns the border of a window as a closed line, with shape (n, 2)."""

    left, right, bottom, top = window
    t = np.linspace(0, 1, 200)
    x, y = left + (right - left) * t, bottom + (top - bottom) * t
    sides = ((x, np.full_like(x, bottom)), (np.full_like(y, right), y), (x[::-1], np.full_like(x, top)))
    return np.concatenate([*(np.stack(side, -1) for side in sides), np.stack([np.full_like(y, left), y[::-1]], -1)])
