from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QWidget

from ebmlab.gui import theme
from ebmlab.paint.curves import Curve
from ebmlab.paint.page import Page
from ebmlab.paint.plot import PlotPainter
from ebmlab.paint.shapes import painting
from ebmlab.paint.spans import moved, zoomed


class Plot(QWidget):
    """Shows curves, and lets the mouse move the axes.

    Signals:
        hovered: The step under the cursor; None when it has left.
        zoomed: Somebody moved the axes by hand.
        fitted: Somebody asked for the axes to follow the curves again.
    """

    hovered = Signal(object)
    zoomed = Signal()
    fitted = Signal()

    def __init__(self, painter: PlotPainter, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.painter = painter
        self._grip: QPointF | None = None
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setMinimumHeight(60)
        self.setMouseTracking(True)

    def settle(self) -> PlotPainter:
        """Tells the painter of the present size and look; returns it."""

        self.painter.page = Page(self.width(), self.height(), theme.current(), self.devicePixelRatioF())
        return self.painter

    @property
    def area(self) -> QRectF:
        """Where the curves are, between the axes."""

        return self.settle().area

    def placed(self, curve: Curve) -> np.ndarray:
        """Returns a curve as pixels, with shape (n, 2)."""

        return self.settle().placed(curve)

    def paintEvent(self, event: QPaintEvent) -> None:
        with painting(self) as painter:
            self.settle().paint(painter)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._grip = event.position()
        else:
            super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._grip = None

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at, axes, area = event.position(), self.painter, self.area
        if self._grip is not None:
            step, self._grip = at - self._grip, at
            axes.x = moved(axes.x, -step.x() / area.width())
            axes.y = moved(axes.y, step.y() / area.height())
            self.zoomed.emit()
        x = axes.x[0] + (at.x() - area.left()) / area.width() * (axes.x[1] - axes.x[0])
        self.hovered.emit(10**x if axes.scale.x else x)

    def wheelEvent(self, event: QWheelEvent) -> None:
        factor, area, at = 0.85 ** (event.angleDelta().y() / 120), self.area, event.position()
        axes = self.painter
        axes.x = zoomed(axes.x, factor, (at.x() - area.left()) / area.width())
        axes.y = zoomed(axes.y, factor, (area.bottom() - at.y()) / area.height())
        self.zoomed.emit()
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.fitted.emit()
        event.accept()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.hovered.emit(None)
