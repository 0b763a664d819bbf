from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QEvent, QPoint, QPointF, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QEnterEvent, QFocusEvent, QFont, QMouseEvent, QPainter, QPaintEvent, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ebmlab.engine.types import Window
from ebmlab.gui import theme
from ebmlab.paint import overlays as over
from ebmlab.paint.backdrop import BAR_PERIOD, Backdrop, Sheet
from ebmlab.paint.dots import Dots
from ebmlab.paint.fields import Fields
from ebmlab.paint.histogram import Histogram
from ebmlab.paint.projection import Point, Projection
from ebmlab.paint.readout import draw_readout, readout
from ebmlab.paint.shapes import corners, font, label, painting
from ebmlab.paint.shows import SHOWS, Picture, histogram
from ebmlab.paint.words import translate
from ebmlab.session.snapshot import Snapshot

TRAIL = 4
"""Sets of particles that leave a trail."""


@dataclass(eq=False)
class Shared:
    """What all panes have in common."""

    window: Window = (-6.0, 6.0, -6.0, 6.0)
    fields: Fields | None = None
    past: deque[np.ndarray] = field(default_factory=lambda: deque(maxlen=TRAIL))
    histogram: Histogram = field(default_factory=Histogram)
    dots: Dots = field(default_factory=Dots)
    hover: Point | None = None
    drawing: bool = False  # whether the left button draws
    sketch: Callable[[QPainter, Projection], None] | None = None  # paints what a tool is about


class Plane(QWidget):
    """The body of a pane: paints the picture and what lies over it, and reports the mouse in points of the plane.

    Signals:
        hovered: The point under the cursor; None when it has left.
        zoomed: A factor, and the point to zoom about.
        panned: The vector by which the window is to move.
        reset: The zoom is to be undone.
        pressed, dragged: The point, while the left button draws.
        released: The left button no longer draws.
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
    menu_wanted = Signal(QPoint)
    activated = Signal()

    def __init__(self, shared: Shared, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.kind = "target"
        self.overlays: frozenset[str] = frozenset()
        self._shared = shared
        self.speaks = self.framed = False  # whether it is the active one, and whether that shows
        self._backdrop = Backdrop()
        self._again = QTimer(self, singleShot=True, interval=round(1000 * BAR_PERIOD))
        self._again.timeout.connect(self.update)
        self._picture = Picture()
        self._picture_of: tuple[object, ...] = ()
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

    def show_kind(self, kind: str) -> None:
        self.kind, self.overlays = kind, SHOWS[kind].overlays
        self._backdrop.forget()
        self.update()

    def set_overlays(self, names: frozenset[str]) -> None:
        self.overlays = names
        self.update()

    @property
    def projection(self) -> Projection:
        """How the plane lies on the pixels."""

        return Projection.fit(self._shared.window, self.width(), self.height())

    # Painting

    @property
    def lively(self) -> bool:
        """Whether something moves in it from one snapshot to the next."""

        return "particles" in self.overlays or self.kind == "samples"

    def paintEvent(self, event: QPaintEvent) -> None:
        now = theme.current()
        with painting(self) as painter:
            painter.setFont(font(now, 11))
            if self._shared.fields is None:
                painter.fillRect(self.rect(), QColor(now.palette.panel))
                self._say(painter, translate("Canvas", "starting…"), now)
            else:
                self._paint(painter, self._shared.fields, now)
            self._round_off(painter, now)

    def _paint(self, painter: QPainter, fields: Fields, now: theme.Theme) -> None:
        shown, ratio = self._shown(fields, now), self.devicePixelRatioF()
        surface = over.Surface(painter, self.projection, now.palette, self._shared.dots, ratio)
        lines = "contours" in self.overlays
        sheet = Sheet(surface.projection, fields.snapshot.lens.window, ratio, now, lines)
        painter.drawImage(0, 0, self._backdrop.image(shown, sheet))
        self._paint_fields(surface, fields.snapshot)
        self._paint_points(surface, fields.snapshot)
        self._backdrop.draw_bar(painter, shown, sheet)
        if self._backdrop.late:
            self._again.start()
        if shown.note:
            self._say(painter, shown.note, now)
        if self._shared.sketch is not None:
            self._shared.sketch(painter, surface.projection)
        if self._shared.hover is not None:
            over.draw_crosshair(surface, self._shared.hover)
            if self._under:
                draw_readout(painter, readout(fields, self._shared.hover), self.height(), now)

    def _shown(self, fields: Fields, now: theme.Theme) -> Picture:
        made_of = (fields, self.kind, now)
        if made_of != self._picture_of:
            self._picture_of = made_of
            self._picture = SHOWS[self.kind].picture(fields, now.palette.dark)
            counts = self._shared.histogram.density
            if self.kind == "samples" and counts is not None:
                self._picture = histogram(counts, fields.top, now.palette.dark, self._picture)
        return self._picture

    def _paint_fields(self, surface: over.Surface, snapshot: Snapshot) -> None:
        window, palette = snapshot.lens.window, surface.palette
        if "target-score" in self.overlays and snapshot.target_score is not None:
            over.draw_arrows(surface, snapshot.target_score, window, palette.blue)
        if "score" in self.overlays and snapshot.score is not None:
            over.draw_arrows(surface, snapshot.score, window, palette.orange)

    def _paint_points(self, surface: over.Surface, snapshot: Snapshot) -> None:
        palette = surface.palette
        if "data" in self.overlays:
            over.draw_points(surface, snapshot.data, palette.blue)
        if "negatives" in self.overlays:
            over.draw_points(surface, snapshot.negatives, palette.orange)
        if "particles" in self.overlays:
            over.draw_points(surface, snapshot.particles, palette.ink, self._shared.past)
        if "modes" in self.overlays and snapshot.figures is not None:
            over.draw_modes(surface, snapshot.figures.modes)
        if snapshot.stage is not None:
            over.draw_stage(surface, snapshot.stage)
            if self.speaks and not (self._under and self._shared.hover is not None):  # the read-out lies there
                self._caption(surface.painter, snapshot.stage.text)

    def _say(self, painter: QPainter, text: str, now: theme.Theme) -> None:
        painter.setFont(font(now, 12))
        painter.setPen(QColor(now.palette.muted))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)

    def _caption(self, painter: QPainter, text: str) -> None:
        now = theme.current()
        painter.setFont(font(now, 12, QFont.Weight.DemiBold))
        text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, self.width() - 28)
        label(painter, QPointF(14, self.height() - 14), text, now.palette)

    def _round_off(self, painter: QPainter, now: theme.Theme) -> None:
        """Paints over the lower corners, where the picture would stick out of the pane's rounded frame."""

        radius, edge = now.px(7), now.palette.accent if self.framed else now.palette.line
        left, right = corners(radius, self.devicePixelRatioF(), now.palette.background, edge)
        top = self.height() - radius - 1
        painter.drawImage(QPointF(0, top), left)
        painter.drawImage(QPointF(self.width() - radius - 1, top), right)

    # The mouse

    def wheelEvent(self, event: QWheelEvent) -> None:
        turns = event.angleDelta().y() / 120
        self.zoomed.emit(0.85**turns, self.projection.plane(event.position()))
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.activated.emit()
        if self._button != Qt.MouseButton.NoButton:
            return
        self._button, self._grip, self._dragged = event.button(), event.position(), False
        if self._draws:
            self.pressed.emit(self.projection.plane(event.position()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position()
        self.hovered.emit(self.projection.plane(at))
        if self._button == Qt.MouseButton.NoButton:
            return
        if self._draws:
            self.dragged.emit(self.projection.plane(at))
        elif self._dragged or (at - self._grip).manhattanLength() > 3:
            step, self._dragged = at - self._grip, True
            self._grip = at
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
        if event.button() == Qt.MouseButton.LeftButton and not self._shared.drawing:
            self.reset.emit()
        else:
            self.mousePressEvent(event)

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
        return self._button == Qt.MouseButton.LeftButton and self._shared.drawing
