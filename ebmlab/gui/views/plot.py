"""Lines and bands over steps, painted by ourselves: one pass per redraw, the axes kept as a picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QImage, QMouseEvent, QPainter, QPainterPath, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from ebmlab.gui import theme
from ebmlab.paint.axes import colour, draw_axes, pen
from ebmlab.paint.curves import Curve, Dash, Role
from ebmlab.paint.shapes import faded, painting, path
from ebmlab.paint.spans import Scale, Span, moved, runs, zoomed
from ebmlab.paint.ticks import Tick, ticks


class Stroke(NamedTuple):
    """A curve as what is painted."""

    line: QPainterPath
    band: QPainterPath
    dots: np.ndarray  # (n, 3), where they are and whether they are hollow
    role: Role
    dash: Dash


class Plot(QWidget):
    """Draws curves; knows nothing of what they mean.

    Signals:
        hovered: The step under the cursor; None when it has left.
        zoomed: Somebody moved the axes by hand.
        fitted: Somebody asked for the axes to follow the curves again.
    """

    hovered = Signal(object)
    zoomed = Signal()
    fitted = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._scale = Scale()
        self._x: Span = (0.0, 1.0)
        self._y: Span = (0.0, 1.0)
        self._curves: tuple[Curve, ...] = ()
        self._strokes: tuple[Stroke, ...] = ()
        self._strokes_of: object = None
        self._axes = QImage()
        self._axes_of: tuple[object, ...] = ()
        self._label, self._places = "", tuple[float, ...]()
        self._guide: float | None = None
        self._cursor: float | None = None
        self._bare = False
        self._grip: QPointF | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(60)
        self.setMouseTracking(True)

    def dress(self) -> None:
        """Takes on the theme in use."""

        self.update()

    @property
    def spread(self) -> Scale:
        """Whether the axes are logarithmic; ``scale`` is a word of Qt's."""

        return self._scale

    def set_spread(self, scale: Scale) -> None:
        """Chooses linear or logarithmic axes; the caller draws again."""

        self._scale = scale

    def set_axis(self, label: str, places: tuple[float, ...]) -> None:
        """Says what the axis across counts, and where its numbers stand; where they are round if there are none."""

        self._label, self._places = label, places

    def set_bare(self, bare: bool) -> None:
        """Hides the axes while there is nothing to measure."""

        self._bare = bare
        self.update()

    def set_guide(self, value: float | None) -> None:
        """Puts a dashed line at an ideal value; None takes it away."""

        self._guide = None if value is None else float(self._scale.to(np.array([value]), self._scale.y)[0])
        self.update()

    def set_curves(self, curves: Sequence[Curve]) -> None:
        """Draws these curves and no others; the first lies on top."""

        self._curves, self._strokes_of = tuple(self._widened(curve) for curve in curves), None
        self.update()

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

        self._x, self._y = self._ends(x, self._scale.x), self._ends(y, self._scale.y)
        self.update()

    def steps(self) -> Span:
        """Returns the first and last step that can be seen."""

        low, high = self._x
        return (10**low, 10**high) if self._scale.x else (low, high)

    def _ends(self, ends: Span, log: bool) -> Span:
        if not log:
            return ends
        high = max(ends[1], 1e-12)
        return float(np.log10(max(ends[0], high * 1e-9))), float(np.log10(high))

    def point_at(self, step: float | None) -> None:
        """Puts the cursor's line at a step; None takes it away."""

        place = None if step is None else float(self._scale.to(np.array([step], dtype=float), self._scale.x)[0])
        if place != self._cursor:
            self._cursor = place
            self.update()

    @property
    def area(self) -> QRectF:
        """Where the curves are, between the axes."""

        look = theme.current()
        return QRectF(self.rect()).adjusted(look.px(46), look.px(2), -1, -look.px(19))

    def placed(self, curve: Curve, sign: int = 0) -> np.ndarray:
        """Returns a curve, or its band's edge on the side of the sign, as pixels, with shape (n, 2)."""

        y = curve.y if curve.error is None else curve.y + sign * curve.error
        area, ends = self.area, (self._x, self._y)
        across, up = self._scale.to(curve.x, self._scale.x), self._scale.to(y, self._scale.y)
        (x0, x1), (y0, y1) = ends
        x = area.left() + (across - x0) * (area.width() / ((x1 - x0) or 1.0))
        # Qt's strokes go astray far beyond the screen.
        y = area.bottom() - (up - y0) * (area.height() / ((y1 - y0) or 1.0))
        return np.stack([x, y.clip(-1e4, 1e4)], -1)

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with painting(self) as painter:
            if self._bare:
                painter.fillRect(self.rect(), QColor(theme.current().palette.panel))
                return
            painter.drawImage(0, 0, self._axes_image())
            area = self.area
            painter.setClipRect(area)
            self._paint_lines(painter, area)
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for stroke in reversed(self._paths()):
                self._paint_stroke(painter, stroke)

    def _paint_lines(self, painter: QPainter, area: QRectF) -> None:
        """Paints the guide and the cursor, under the curves."""

        if self._guide is not None and np.isfinite(self._guide):
            painter.setPen(pen("muted", theme.current().palette, "dashed"))
            y = area.bottom() - (self._guide - self._y[0]) * area.height() / ((self._y[1] - self._y[0]) or 1.0)
            painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y))
        if self._cursor is not None and np.isfinite(self._cursor):
            painter.setPen(pen("muted", theme.current().palette))
            x = area.left() + (self._cursor - self._x[0]) * area.width() / ((self._x[1] - self._x[0]) or 1.0)
            painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))

    def _paint_stroke(self, painter: QPainter, stroke: Stroke) -> None:
        look = theme.current()
        if not stroke.band.isEmpty():
            painter.fillPath(stroke.band, faded(colour(stroke.role, look.palette), 0.22))
        painter.strokePath(stroke.line, pen(stroke.role, look.palette, stroke.dash))
        radius = look.px(5) / 2
        painter.setPen(pen(stroke.role, look.palette))
        for x, y, hollow in stroke.dots:
            painter.setBrush(QColor(look.palette.panel) if hollow else colour(stroke.role, look.palette))
            painter.drawEllipse(QPointF(x, y), radius, radius)

    def _paths(self) -> tuple[Stroke, ...]:
        of = (self._x, self._y, self._scale, self.area)
        if of != self._strokes_of:
            self._strokes_of = of
            self._strokes = tuple(
                Stroke(path(runs(self.placed(curve))), self._ribbon(curve), self._dots(curve), curve.role, curve.dash)
                for curve in self._curves
            )
        return self._strokes

    def _dots(self, curve: Curve) -> np.ndarray:
        hollow = np.zeros(len(curve.x)) if curve.hollow is None else curve.hollow
        points = np.concatenate([self.placed(curve), hollow[:, None]], -1)
        return points[np.isfinite(points).all(-1) & curve.marked]

    def _ribbon(self, curve: Curve) -> QPainterPath:
        if curve.error is None:
            return QPainterPath()
        low, high = self.placed(curve, -1), self.placed(curve, 1)
        both = runs(np.concatenate([low, high], -1))
        return path([np.concatenate([part[:, :2], part[::-1, 2:], part[:1, :2]]) for part in both])

    def _axes_image(self) -> QImage:
        """Returns ground, axes and numbers, painted anew only when a number or the size changes."""

        look, ratio, area = theme.current(), self.devicePixelRatioF(), self.area
        across = self._chosen_ticks() or ticks(*self._x, max(int(area.width() / look.px(72)), 2), self._scale.x)
        up = ticks(*self._y, max(int(area.height() / look.px(26)), 2), self._scale.y)
        made_of = (self._positions(across, up), self.size(), ratio, look, self._label)
        if made_of != self._axes_of:
            self._axes_of = made_of
            self._axes = QImage(self.size() * ratio, QImage.Format.Format_RGB32)
            self._axes.setDevicePixelRatio(ratio)
            self._axes.fill(QColor(look.palette.panel))
            with painting(self._axes) as painter:
                draw_axes(painter, area, made_of[0], look, self._label)
        return self._axes

    def _chosen_ticks(self) -> tuple[Tick, ...]:
        """Returns the numbers that the axis across was given, less those that would run into another."""

        (low, high), found = self._x, list[Tick]()
        room = theme.current().px(26) / max(self.area.width(), 1) * (high - low)
        for x, value in zip(self._scale.to(np.array(self._places), self._scale.x), self._places, strict=True):
            if low <= x <= high and (not found or x - found[-1].at >= room):
                found.append(Tick(x, f"{value:,g}"))
        return tuple(found)

    def _positions(self, across: tuple[Tick, ...], up: tuple[Tick, ...]) -> tuple[tuple[Tick, ...], tuple[Tick, ...]]:
        """Returns the ticks with their pixels, whole ones, so that they stay while an axis grows by less."""

        area, (x0, x1), (y0, y1) = self.area, self._x, self._y
        return (
            tuple(Tick(round(area.left() + (t.at - x0) / (x1 - x0) * area.width()), t.text) for t in across),
            tuple(Tick(round(area.bottom() - (t.at - y0) / (y1 - y0) * area.height()), t.text) for t in up),
        )

    # The mouse

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()
        else:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at, area = event.position(), self.area
        if self._grip is not None:
            step, self._grip = at - self._grip, at
            self._x = moved(self._x, -step.x() / area.width())
            self._y = moved(self._y, step.y() / area.height())
            self.zoomed.emit()
        x = self._x[0] + (at.x() - area.left()) / area.width() * (self._x[1] - self._x[0])
        self.hovered.emit(10**x if self._scale.x else x)

    def wheelEvent(self, event: QWheelEvent) -> None:
        factor, area, at = 0.85 ** (event.angleDelta().y() / 120), self.area, event.position()
        self._x = zoomed(self._x, factor, (at.x() - area.left()) / area.width())
        self._y = zoomed(self._y, factor, (area.bottom() - at.y()) / area.height())
        self.zoomed.emit()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fitted.emit()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit(None)
