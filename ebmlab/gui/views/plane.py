from __future__ import annotations

from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QEnterEvent, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ebmlab.gui import theme
from ebmlab.paint.backdrop import LIVE
from ebmlab.paint.camera import Camera
from ebmlab.paint.card import round_off
from ebmlab.paint.page import Page
from ebmlab.paint.plane import PlanePainter, Shared
from ebmlab.paint.projection import Projection
from ebmlab.paint.shapes import painting

TURN = 0.4
"""Degrees by which a surface turns for each pixel that it is dragged."""


_WAYS = {
    Qt.Key.Key_Left: (10.0, 0.0),
    Qt.Key.Key_Right: (-10.0, 0.0),
    Qt.Key.Key_Down: (0.0, -5.0),
    Qt.Key.Key_Up: (0.0, 5.0),
}


class Plane(QWidget):
    """The body of a pane: paints the picture and what lies over it, and reports the mouse in points of the plane.

    Signals:
        hovered: The point under the cursor; None when it has left.
        zoomed: A factor, and the point to zoom about.
        panned: The vector by which the window is to move.
        reset: The zoom is to be undone.
        pressed, dragged: The point, while the left button draws.
        released: The left button no longer draws.
        turned: The camera of the surfaces has moved.
        menu_wanted: Where on the screen a menu was asked for.
        activated: The pane was clicked or got the keyboard.
    """

    hovered = Signal(object)
    zoomed = Signal(float, object)
    panned = Signal(float, float)
    reset = Signal()
    pressed = Signal(object)
    dragged = Signal(object)
    released = Signal()
    turned = Signal()
    menu_wanted = Signal(QPoint)
    activated = Signal()

    def __init__(self, shared: Shared, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.painter = PlanePainter(shared)
        self._shared = shared
        self.speaks = self.framed = False  # whether it is the active one, and whether that shows
        self.drawing = False  # whether the left button draws
        self._again = QTimer(self, singleShot=True, interval=round(1000 * LIVE.bar))
        self._again.timeout.connect(self.update)
        self._under = False
        self._button = Qt.MouseButton.NoButton
        self._grip = QPointF()
        self._dragged = False
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(120, 90)

    def sizeHint(self) -> QSize:
        return QSize(400, 320)

    @property
    def kind(self) -> str:
        """What it shows, a key of ``SHOWS``."""

        return self.painter.kind

    @property
    def overlays(self) -> frozenset[str]:
        """What lies over it, keys of ``OVERLAYS``."""

        return self.painter.overlays

    def show_kind(self, kind: str) -> None:
        self.painter.show_kind(kind)
        self.update()

    def set_overlays(self, names: frozenset[str]) -> None:
        self.painter.overlays = names
        self.update()

    @property
    def projection(self) -> Projection:
        """How the plane lies on the pixels."""

        return self.painter.projection(self.width(), self.height())

    # Painting

    @property
    def lively(self) -> bool:
        """Whether something moves in it from one snapshot to the next."""

        return "particles" in self.overlays or self.kind == "samples"

    @property
    def page(self) -> Page:
        """What it is painted on."""

        return Page(self.width(), self.height(), theme.current(), self.devicePixelRatioF())

    def paintEvent(self, event: QPaintEvent) -> None:
        with painting(self) as painter:
            self._paint(painter, self.page)
        if self.painter.late:
            self._again.start()

    def _paint(self, painter: QPainter, page: Page) -> None:
        self.painter.speaks, self.painter.reads = self.speaks, self._under
        self.painter.paint(painter, page)
        self._round_off(painter, page)

    def _round_off(self, painter: QPainter, page: Page) -> None:
        """Paints over the lower corners, where the picture would stick out of the pane's rounded frame."""

        palette = page.theme.palette
        round_off(painter, page, palette.accent if self.framed else palette.line)

    # The mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y() / 120
        if self.painter.solid:
            self.turn(self._shared.camera.zoomed(0.85**-turns))
        else:
            self.zoomed.emit(0.85**turns, self.projection.plane(event.position()))
        event.accept()

    def turn(self, camera: Camera) -> None:
        """Looks at the surfaces from elsewhere."""

        self._shared.camera = camera
        self.turned.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.activated.emit()
        if self._button != Qt.MouseButton.NoButton:
            return
        self._button, self._grip, self._dragged = event.button(), event.position(), False
        if self._draws:
            self.pressed.emit(self.projection.plane(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        self.hovered.emit(self.painter.plane(at, self.width(), self.height()))
        if self._button == Qt.MouseButton.NoButton:
            return
        if self._draws:
            self.dragged.emit(self.projection.plane(at))
        elif self._dragged or (at - self._grip).manhattanLength() > 3:
            step, self._dragged = at - self._grip, True
            self._grip = at
            if self.painter.solid:
                self.turn(self._shared.camera.turned(-TURN * step.x(), TURN * step.y()))
                return
            scale = self.projection.scale
            self.panned.emit(-step.x() / scale, step.y() / scale)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if event.button() != self._button:
            return
        if self._draws:
            self.dragged.emit(self.projection.plane(event.position()))
            self.released.emit()
        elif self._button == Qt.MouseButton.RightButton and not self._dragged:
            self.menu_wanted.emit(event.globalPosition().toPoint())
        self._button = Qt.MouseButton.NoButton

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and self.painter.solid:
            self.turn(Camera())
        elif event.button() == Qt.MouseButton.LeftButton and not self.drawing:
            self.reset.emit()
        else:
            self.mousePressEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.painter.solid and (way := _WAYS.get(Qt.Key(event.key()))):
            self.turn(self._shared.camera.turned(*way))
        else:
            super().keyPressEvent(event)

    def enterEvent(self, event: QEnterEvent) -> None:
        self._under = True

    def leaveEvent(self, event: QEvent) -> None:
        self._under = False
        self.hovered.emit(None)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.activated.emit()

    @property
    def _draws(self) -> bool:
        return self._button == Qt.MouseButton.LeftButton and self.drawing and not self.painter.solid
