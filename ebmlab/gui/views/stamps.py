"""The stamp: a Gaussian placed, and changed later, by its handles."""

from __future__ import annotations

import math
from dataclasses import replace

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter

from ebmlab.engine.targets.marks import Mark, Stamp
from ebmlab.gui.theme import Palette
from ebmlab.gui.views.tools import Marks, Tool
from ebmlab.paint.projection import Point, Projection
from ebmlab.paint.shapes import label, pen
from ebmlab.paint.shows import number

REACH = 9.0
"""Pixels within which a handle is caught."""

_STALK, _OCTAVE = 14.0, 40.0  # pixels from the centre to weight 0, and from w to 2 w + 1
_LEAST, _MOST = 0.05, 1000.0  # bounds of a standard deviation
_HEAVIEST = 1000.0


class StampTool(Tool):
    """Places a Gaussian, dragging out its first axis; a stamp that is caught by a handle is changed instead.

    Attributes:
        selected: The place of the selected stamp among the marks; None if there is none.
    """

    def __init__(self) -> None:
        self.selected: int | None = None
        self._marks: Marks = ()
        self._unit = 1.0
        self._handle = ""

    def choose(self, marks: Marks) -> None:
        self._marks = marks
        if self.selected is not None and self.stamp is None:
            self.selected = None

    @property
    def stamp(self) -> Stamp | None:
        """The selected stamp."""

        if self.selected is None or self.selected >= len(self._marks):
            return None
        mark = self._marks[self.selected]
        return mark if isinstance(mark, Stamp) else None

    def press(self, at: Point, marks: Marks, unit: float) -> None:
        self._marks, self._unit = marks, unit
        if (stamp := self.stamp) is not None:
            caught = nearest(handles(stamp, unit), at, REACH * unit)
            if caught:
                self._handle = caught
                return
        for i, mark in enumerate(marks):
            if isinstance(mark, Stamp) and math.dist(mark.centre, at) < REACH * unit:
                self.selected, self._handle = i, "centre"
                return
        self._place(at)

    def _place(self, at: Point) -> None:
        sigma = self._bounded(self.settings.radius)
        stamp = Stamp(centre=at, sigmas=(sigma, sigma), weight=min(self.settings.strength, _HEAVIEST))
        self._marks = (*self._marks, stamp)
        self.selected, self._handle = len(self._marks) - 1, "new"

    def drag(self, at: Point) -> None:
        if (stamp := self.stamp) is not None:
            self._replace(pulled(stamp, self._handle, at, self._unit))

    def nudge(self, dx: float, dy: float) -> Marks:
        """Returns the drawing with the selected stamp moved."""

        if (stamp := self.stamp) is not None:
            self._replace(replace(stamp, centre=(stamp.centre[0] + dx, stamp.centre[1] + dy)))
        return self._marks

    def remove(self) -> Marks:
        """Returns the drawing without the selected stamp."""

        if self.stamp is not None and self.selected is not None:
            self._marks = (*self._marks[: self.selected], *self._marks[self.selected + 1 :])
        self.selected = None
        return self._marks

    def marks(self) -> Marks:
        return self._marks

    def settled(self) -> None:
        self._handle = ""

    def _replace(self, mark: Mark) -> None:
        assert self.selected is not None
        self._marks = (*self._marks[: self.selected], mark, *self._marks[self.selected + 1 :])

    @staticmethod
    def _bounded(sigma: float) -> float:
        return min(max(sigma, _LEAST), _MOST)

    def sketch(self, painter: QPainter, projection: Projection, hover: Point | None, palette: Palette) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for i, mark in enumerate(self._marks):
            if isinstance(mark, Stamp):
                _draw_ellipse(painter, projection, mark, palette.blue if i == self.selected else palette.muted)
        if self.stamp is not None:
            _draw_handles(painter, projection, self.stamp, palette)


def pulled(stamp: Stamp, handle: str, at: Point, unit: float) -> Stamp:
    """Returns the stamp with a handle pulled to a point.

    Arguments:
        stamp: The stamp as it is.
        handle: One of centre, first, second, weight; new for the axis of a stamp just placed.
        at: Where the hand is.
        unit: The length in the plane of one pixel.
    """

    dx, dy = at[0] - stamp.centre[0], at[1] - stamp.centre[1]
    length = min(max(math.hypot(dx, dy), _LEAST), _MOST)
    if handle == "centre":
        return replace(stamp, centre=at)
    if handle == "weight":
        octaves = (math.hypot(dx, dy) / unit - _STALK) / _OCTAVE
        return replace(stamp, weight=min(2 ** min(max(octaves, 0.0), 20.0) - 1, _HEAVIEST))
    turn = math.degrees(math.atan2(dy, dx)) - (90.0 if handle == "second" else 0.0)
    if handle == "second":
        return replace(stamp, sigmas=(stamp.sigmas[0], length), angle=turn)
    if handle == "new" and math.hypot(dx, dy) < REACH * unit:
        return stamp
    return replace(stamp, sigmas=(length, stamp.sigmas[1]), angle=turn)


def handles(stamp: Stamp, unit: float) -> dict[str, Point]:
    """Returns where the handles of a stamp are: both axes end one standard deviation out, the weight hangs behind."""

    turn = math.radians(stamp.angle)
    u, v = (math.cos(turn), math.sin(turn)), (-math.sin(turn), math.cos(turn))
    back = unit * (_STALK + _OCTAVE * math.log2(1 + stamp.weight))
    x, y = stamp.centre
    return {
        "first": (x + stamp.sigmas[0] * u[0], y + stamp.sigmas[0] * u[1]),
        "second": (x + stamp.sigmas[1] * v[0], y + stamp.sigmas[1] * v[1]),
        "weight": (x - back * u[0], y - back * u[1]),
        "centre": (x, y),
    }


def nearest(places: dict[str, Point], at: Point, reach: float) -> str:
    """Returns the name of the nearest place within reach, empty if there is none."""

    name = min(places, key=lambda name: math.dist(places[name], at))
    return name if math.dist(places[name], at) < reach else ""


def _draw_ellipse(painter: QPainter, projection: Projection, stamp: Stamp, colour: str) -> None:
    painter.save()
    painter.translate(projection.pixel((stamp.centre[0], stamp.centre[1])))
    painter.rotate(-stamp.angle)
    painter.setPen(pen(colour, 1.0))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    a, b = (sigma * projection.scale for sigma in stamp.sigmas)
    painter.drawEllipse(QPointF(0, 0), a, b)
    painter.restore()


def _draw_handles(painter: QPainter, projection: Projection, stamp: Stamp, palette: Palette) -> None:
    places = {name: projection.pixel(at) for name, at in handles(stamp, 1 / projection.scale).items()}
    painter.setPen(pen(palette.blue, 1.0))
    for name in ("first", "second", "weight"):
        painter.drawLine(places["centre"], places[name])
    painter.setPen(pen(palette.panel, 1.0))
    painter.setBrush(QColor(palette.ink))
    for name in ("first", "second"):
        painter.drawEllipse(places[name], 4.5, 4.5)
    painter.drawRect(QRectF(places["centre"] - QPointF(4, 4), places["centre"] + QPointF(4, 4)))
    painter.setBrush(QColor(palette.blue))
    diamond = [QPointF(0, -6), QPointF(6, 0), QPointF(0, 6), QPointF(-6, 0)]
    painter.drawPolygon([places["weight"] + corner for corner in diamond])
    painter.setBrush(Qt.BrushStyle.NoBrush)
    at = places["weight"] + QPointF(11, -9)
    at.setY(max(at.y(), painter.fontMetrics().height() + 2.0))  # a stamp may lie at the upper edge
    label(painter, at, "w " + number(stamp.weight), palette)
