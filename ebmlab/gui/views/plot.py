"""The one place that knows pyqtgraph: lines and bands over steps, with ranges set by us."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QColor, QMouseEvent, QPainterPath, QPen
from PySide6.QtWidgets import QGraphicsPathItem, QWidget

from ebmlab.gui import theme
from ebmlab.gui.views.curves import Curve, Dash, Role

_COLOURS: dict[Role, str] = {
    "exact": "ink",
    "target": "blue",
    "model": "orange",
    "second": "violet",
    "muted": "muted",
}
_DASHES: dict[Dash, list[float]] = {"solid": [], "dashed": [6.0, 4.0], "dotted": [1.5, 3.0]}


def colour(role: Role) -> QColor:
    """Returns the colour of a role in the theme in use."""

    return QColor(getattr(theme.current().palette, _COLOURS[role]))


def pen(role: Role, dash: Dash = "solid") -> QPen:
    """Returns a hairline: wider ones cost several times as much to paint."""

    made = QPen(colour(role), 1.0)
    made.setCosmetic(True)
    if _DASHES[dash]:
        made.setDashPattern(_DASHES[dash])
    return made


@dataclass(frozen=True, slots=True)
class Scale:
    """Whether steps and values are spread by their logarithm."""

    x: bool = False
    y: bool = False

    def to(self, values: np.ndarray, log: bool) -> np.ndarray:
        """Returns where values stand on an axis; NaN for what a logarithm cannot show."""

        if not log:
            return values
        return np.log10(values, out=np.full(len(values), np.nan), where=values > 0)


class Plot(pg.PlotWidget):
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
        super().__init__(parent, axisItems={"bottom": _Steps("bottom"), "left": pg.AxisItem("left")})
        self._lines: dict[str, pg.PlotCurveItem] = {}
        self._bands: dict[str, QGraphicsPathItem] = {}
        self._scale = Scale()
        self._guide = pg.InfiniteLine(angle=0, movable=False)
        self._cursor = pg.InfiniteLine(angle=90, movable=False)
        for line in (self._guide, self._cursor):
            line.hide()
            self.addItem(line, ignoreBounds=True)
        self.getPlotItem().hideButtons()
        self.getPlotItem().setMenuEnabled(False)
        self.getViewBox().disableAutoRange()
        self.getViewBox().sigRangeChangedManually.connect(lambda _: self.zoomed.emit())
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(60)
        self.setMouseTracking(True)
        self.dress()

    def dress(self) -> None:
        """Takes on the theme in use."""

        palette = theme.current().palette
        self.setBackground(palette.panel)
        for name in ("left", "bottom"):
            axis = self.getAxis(name)
            axis.setPen(QPen(QColor(palette.line), 0))
            axis.setTextPen(QColor(palette.muted))
            axis.setTickFont(theme.current().font(10))
            axis.setStyle(tickLength=0, tickTextOffset=4, maxTickLevel=0, autoExpandTextSpace=False)
            axis.enableAutoSIPrefix(False)
        self.getAxis("left").setWidth(theme.current().px(44))
        self.getAxis("bottom").setHeight(theme.current().px(18))
        self.getAxis("left").setGrid(40)
        self._guide.setPen(pen("muted", "dashed"))
        self._cursor.setPen(pen("muted"))

    @property
    def spread(self) -> Scale:
        """Whether the axes are logarithmic; ``scale`` is a method of Qt's."""

        return self._scale

    def set_spread(self, scale: Scale) -> None:
        """Chooses linear or logarithmic axes; the caller draws again."""

        self._scale = scale
        self.getAxis("bottom").setLogMode(scale.x)
        self.getAxis("left").setLogMode(scale.y)

    def set_bare(self, bare: bool) -> None:
        """Hides the axes while there is nothing to measure."""

        for name in ("left", "bottom"):
            self.getAxis(name).setVisible(not bare)

    def set_guide(self, value: float | None) -> None:
        """Puts a dashed line at an ideal value; None takes it away."""

        self._guide.setVisible(value is not None)
        if value is not None:
            self._guide.setValue(float(self._scale.to(np.array([value]), self._scale.y)[0]))

    def set_curves(self, curves: Sequence[Curve]) -> None:
        """Draws these curves and no others; the first lies on top."""

        keys = {c.key for c in curves}
        for key in [k for k in self._lines if k not in keys]:
            self.removeItem(self._lines.pop(key))
            self.removeItem(self._bands.pop(key))
        for depth, curve in enumerate(reversed(curves)):
            self._draw(curve, depth)

    def _draw(self, curve: Curve, depth: int) -> None:
        if curve.key not in self._lines:
            self._lines[curve.key] = pg.PlotCurveItem(antialias=True, connect="finite")
            self._bands[curve.key] = QGraphicsPathItem()
            self.addItem(self._bands[curve.key], ignoreBounds=True)
            self.addItem(self._lines[curve.key], ignoreBounds=True)
        curve = self._widened(curve)
        x, y = self._scale.to(curve.x, self._scale.x), self._scale.to(curve.y, self._scale.y)
        line, band = self._lines[curve.key], self._bands[curve.key]
        line.setData(x, y, pen=pen(curve.role, curve.dash))
        line.setZValue(depth)
        fill = colour(curve.role)
        fill.setAlphaF(0.22)
        band.setPen(Qt.PenStyle.NoPen)
        band.setBrush(fill)
        band.setPath(self._ribbon(x, curve) if curve.error is not None else QPainterPath())
        band.setZValue(depth - 100)

    def _widened(self, curve: Curve) -> Curve:
        """Returns a short dash for a single point, which would otherwise be no line at all."""

        if len(curve.x) != 1:
            return curve
        low, high = self.steps()
        dash = 0.02 * (high - low)
        error = None if curve.error is None else np.repeat(curve.error, 2)
        x = np.array([max(curve.x[0] - dash, low), min(curve.x[0] + dash, high)])
        return replace(curve, x=x, y=np.repeat(curve.y, 2), error=error)

    def _ribbon(self, x: np.ndarray, curve: Curve) -> QPainterPath:
        error = curve.error if curve.error is not None else np.zeros(len(curve.y))
        low = self._scale.to(curve.y - error, self._scale.y)
        high = self._scale.to(curve.y + error, self._scale.y)
        finite = np.isfinite(x) & np.isfinite(low) & np.isfinite(high)
        outline: list[tuple[np.ndarray, np.ndarray]] = []
        for run in np.split(np.arange(len(x)), np.flatnonzero(np.diff(finite)) + 1):
            if len(run) > 1 and finite[run[0]]:
                back = run[::-1]
                outline.append((x[run], high[run]))
                outline.append((x[back], low[back]))
                outline.append((np.array([np.nan]), np.array([np.nan])))
        if not outline:
            return QPainterPath()
        xs, ys = (np.concatenate(side) for side in zip(*outline))
        return pg.functions.arrayToQPath(xs, ys, connect="finite")

    def set_span(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Sets what the axes span, in steps and values."""

        view = self.getViewBox()
        view.setRange(xRange=self._ends(x, self._scale.x), yRange=self._ends(y, self._scale.y), padding=0)

    def steps(self) -> tuple[float, float]:
        """Returns the first and last step that can be seen."""

        low, high = self.getViewBox().viewRange()[0]
        return (10**low, 10**high) if self._scale.x else (low, high)

    def _ends(self, ends: tuple[float, float], log: bool) -> tuple[float, float]:
        if not log:
            return ends
        high = max(ends[1], 1e-12)
        return float(np.log10(max(ends[0], high * 1e-9))), float(np.log10(high))

    def point_at(self, step: float | None) -> None:
        """Puts the cursor's line at a step; None takes it away."""

        self._cursor.setVisible(step is not None)
        if step is not None:
            self._cursor.setValue(float(self._scale.to(np.array([step], dtype=float), self._scale.x)[0]))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        x = self.getViewBox().mapSceneToView(self.mapToScene(event.position().toPoint())).x()
        self.hovered.emit(10**x if self._scale.x else x)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fitted.emit()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit(None)


class _Steps(pg.AxisItem):
    """The axis of steps, with thousands set apart."""

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if self.logMode:
            return super().tickStrings(values, scale, spacing)
        return [f"{v * scale:,.0f}" if spacing >= 1 else f"{v * scale:g}" for v in values]
