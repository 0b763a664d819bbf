"""The painter of curves between axes: one pass per picture, the axes kept as an image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath

from ebmlab.paint.axes import colour, draw_axes, pen
from ebmlab.paint.curves import Curve, Dash, Role
from ebmlab.paint.page import Page
from ebmlab.paint.shapes import drawing, faded, path, shifted
from ebmlab.paint.spans import Scale, Span, clipped, runs
from ebmlab.paint.ticks import Tick, ticks


class Stroke(NamedTuple):
    """A curve as what is painted."""

    line: QPainterPath
    band: QPainterPath
    dots: np.ndarray  # (n, 3), where they are and whether they are hollow
    role: Role
    dash: Dash


class PlotPainter:
    """Draws curves; knows nothing of what they mean.

    Attributes:
        page: What is painted on, its upper left corner at the painter's origin.
        scale: Whether the axes are logarithmic.
        x, y: What the axes span, as their own coordinates.
        bare: Whether there is nothing to measure, so that the axes are hidden.
        curves: What is drawn; the first lies on top.
    """

    def __init__(self) -> None:
        self.page = Page(1, 1)
        self.scale = Scale()
        self.x: Span = (0.0, 1.0)
        self.y: Span = (0.0, 1.0)
        self.bare = False
        self.curves: tuple[Curve, ...] = ()
        self._strokes: tuple[Stroke, ...] = ()
        self._strokes_of: object = None
        self._axes = QImage()
        self._axes_of: tuple[object, ...] = ()
        self._label, self._places = "", tuple[float, ...]()
        self._guide: float | None = None
        self._cursor: float | None = None

    def set_axis(self, label: str, places: tuple[float, ...]) -> None:
        """Says what the axis across counts, and where its numbers stand; where they are round if there are none."""

        self._label, self._places = label, places

    def set_guide(self, value: float | None) -> None:
        """Puts a dashed line at an ideal value; None takes it away."""

        self._guide = None if value is None else float(self.scale.to(np.array([value]), self.scale.y)[0])

    def set_curves(self, curves: Sequence[Curve]) -> None:
        """Draws these curves and no others."""

        self.curves, self._strokes_of = tuple(self._widened(curve) for curve in curves), None

    def _widened(self, curve: Curve) -> Curve:
        """Returns a short dash for a single point, which would otherwise be no line at all."""

        if len(curve.x) != 1 or curve.marked:
            return curve
        low, high = self.steps()
        dash = 0.02 * (high - low)
        error = None if curve.error is None else np.repeat(curve.error, 2)
        x = np.array([max(curve.x[0] - dash, low), min(curve.x[0] + dash, high)])
        return replace(curve, x=x, y=np.repeat(curve.y, 2), error=error)

    def set_span(self, x: Span, y: Span) -> None:
        """Sets what the axes span, in steps and values."""

        self.x, self.y = _ends(x, self.scale.x), _ends(y, self.scale.y)

    def steps(self) -> Span:
        """Returns the first and last step that can be seen."""

        low, high = self.x
        return (10**low, 10**high) if self.scale.x else (low, high)

    def point_at(self, step: float | None) -> bool:
        """Puts the cursor's line at a step, None takes it away; returns whether that changes the picture."""

        place = None if step is None else float(self.scale.to(np.array([step], dtype=float), self.scale.x)[0])
        changed, self._cursor = place != self._cursor, place
        return changed

    @property
    def area(self) -> QRectF:
        """Where the curves are, between the axes."""

        look = self.page.theme
        return self.page.rect.adjusted(look.px(46), look.px(2), -1, -look.px(19))

    def placed(self, curve: Curve, sign: int = 0) -> np.ndarray:
        """Returns a curve, or its band's edge on the side of the sign, as pixels, with shape (n, 2)."""

        y = curve.y if curve.error is None else curve.y + sign * curve.error
        area, ends = self.area, (self.x, self.y)
        across, up = self.scale.to(curve.x, self.scale.x), self.scale.to(y, self.scale.y)
        (x0, x1), (y0, y1) = ends
        x = area.left() + (across - x0) * (area.width() / ((x1 - x0) or 1.0))
        # Qt's strokes go astray far beyond the screen.
        y = area.bottom() - (up - y0) * (area.height() / ((y1 - y0) or 1.0))
        return np.stack([x, y.clip(-1e4, 1e4)], -1)

    def paint(self, painter: QPainter) -> None:
        """Paints ground, axes and curves on the page."""

        if self.bare:
            painter.fillRect(self.page.rect, QColor(self.page.theme.palette.panel))
            return
        self._paint_axes(painter)
        area = self.area
        with shifted(painter, 0, 0):
            painter.setClipRect(area)
            self._paint_lines(painter, area)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for stroke in reversed(self._paths()):
                self._paint_stroke(painter, stroke)

    def _paint_lines(self, painter: QPainter, area: QRectF) -> None:
        """Paints the guide and the cursor, under the curves."""

        palette = self.page.theme.palette
        if self._guide is not None and np.isfinite(self._guide):
            painter.setPen(pen("muted", palette, "dashed"))
            y = area.bottom() - (self._guide - self.y[0]) * area.height() / ((self.y[1] - self.y[0]) or 1.0)
            if area.top() <= y <= area.bottom():
                painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        if self._cursor is not None and np.isfinite(self._cursor):
            painter.setPen(pen("muted", palette))
            x = area.left() + (self._cursor - self.x[0]) * area.width() / ((self.x[1] - self.x[0]) or 1.0)
            if area.left() <= x <= area.right():
                painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_stroke(self, painter: QPainter, stroke: Stroke) -> None:
        look = self.page.theme
        if not stroke.band.isEmpty():
            painter.fillPath(stroke.band, faded(colour(stroke.role, look.palette), 0.22))
        painter.strokePath(stroke.line, pen(stroke.role, look.palette, stroke.dash))
        radius = look.px(5) / 2
        painter.setPen(pen(stroke.role, look.palette))
        for x, y, hollow in stroke.dots:
            painter.setBrush(QColor(look.palette.panel) if hollow else colour(stroke.role, look.palette))
            painter.drawEllipse(QPointF(x, y), radius, radius)

    def _paths(self) -> tuple[Stroke, ...]:
        of = (self.x, self.y, self.scale, self.area, self.page.vector)
        if of != self._strokes_of:
            self._strokes_of = of
            self._strokes = tuple(
                Stroke(path(self._line(curve)), self._ribbon(curve), self._dots(curve), curve.role, curve.dash)
                for curve in self.curves
            )
        return self._strokes

    def _line(self, curve: Curve) -> list[np.ndarray]:
        """Returns a curve as lines; those that go into a file are cut off at the axes, since SVG knows no clip."""

        lines, area = runs(self.placed(curve)), self.area
        if not self.page.vector:
            return lines
        box = (area.left(), area.right(), area.top(), area.bottom())
        return [piece for line in lines for piece in clipped(line, box)]

    def _dots(self, curve: Curve) -> np.ndarray:
        hollow = np.zeros(len(curve.x)) if curve.hollow is None else curve.hollow
        points = np.concatenate([self.placed(curve), hollow[:, None]], -1)
        inside = np.array([self.area.contains(x, y) or not self.page.vector for x, y, _ in points], bool)
        return points[np.isfinite(points).all(-1) & curve.marked & inside]

    def _ribbon(self, curve: Curve) -> QPainterPath:
        if curve.error is None:
            return QPainterPath()
        low, high = self.placed(curve, -1), self.placed(curve, 1)
        if self.page.vector:
            for edge in (low, high):
                edge[:, 1] = edge[:, 1].clip(self.area.top(), self.area.bottom())
        both = runs(np.concatenate([low, high], -1))
        return path([np.concatenate([part[:, :2], part[::-1, 2:], part[:1, :2]]) for part in both])

    def _paint_axes(self, painter: QPainter) -> None:
        """Paints ground, axes and numbers; their image is made anew only when a number or the size changes."""

        page, area = self.page, self.area
        look = page.theme
        across = self._chosen_ticks() or ticks(*self.x, max(int(area.width() / look.px(72)), 2), self.scale.x)
        up = ticks(*self.y, max(int(area.height() / look.px(26)), 2), self.scale.y)
        made_of = (self._positions(across, up), page, self._label)
        if page.vector:
            painter.fillRect(page.rect, QColor(look.palette.panel))
            draw_axes(painter, area, made_of[0], look, self._label)
            return
        if made_of != self._axes_of:
            self._axes_of = made_of
            self._axes = QImage(QSize(page.width, page.height) * page.ratio, QImage.Format.Format_RGB32)
            self._axes.setDevicePixelRatio(page.ratio)
            self._axes.fill(QColor(look.palette.panel))
            with drawing(self._axes) as on:
                draw_axes(on, area, made_of[0], look, self._label)
        painter.drawImage(0, 0, self._axes)

    def _chosen_ticks(self) -> tuple[Tick, ...]:
        """Returns the numbers that the axis across was given, less those that would run into another."""

        (low, high), found = self.x, list[Tick]()
        room = self.page.theme.px(26) / max(self.area.width(), 1) * (high - low)
        for x, value in zip(self.scale.to(np.array(self._places), self.scale.x), self._places, strict=True):
            if low <= x <= high and (not found or x - found[-1].at >= room):
                found.append(Tick(x, f"{value:,g}"))
        return tuple(found)

    def _positions(self, across: tuple[Tick, ...], up: tuple[Tick, ...]) -> tuple[tuple[Tick, ...], tuple[Tick, ...]]:
        """Returns the ticks with their pixels, whole ones, so that they stay while an axis grows by less."""

        area, (x0, x1), (y0, y1) = self.area, self.x, self.y
        return (
            tuple(Tick(round(area.left() + (t.at - x0) / (x1 - x0) * area.width()), t.text) for t in across),
            tuple(Tick(round(area.bottom() - (t.at - y0) / (y1 - y0) * area.height()), t.text) for t in up),
        )


def _ends(ends: Span, log: bool) -> Span:
    if not log:
        return ends
    high = max(ends[1], 1e-12)
    return float(np.log10(max(ends[0], high * 1e-9))), float(np.log10(high))
