"""The scrubber: a run from its first step to its last, painted, to be dragged through."""

from __future__ import annotations

import numpy as np
from PySide6.QtCore import QEvent, QLineF, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPixmap, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from ebmlab.gui import theme
from ebmlab.gui.views.rail import Rail
from ebmlab.paint.numbers import number
from ebmlab.paint.shapes import drawing, faded, painting, path, pen

HEIGHT, TEXT, EDGE = 40, 15, 7
"""Pixels at scale 1: of the whole, of the line of words at the top, of the room at either end."""
LEAP = 10
"""Kept steps that Page Up and Page Down go."""
_KEYS = frozenset(
    (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
)


class Scrubber(QWidget):
    """Shows where in the run the shown step lies; mouse and keys go elsewhere.

    Signals:
        sought: The step that shall be shown; None for the present.
    """

    sought = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("scrubber")
        self.setAccessibleName(self.tr("Timeline"))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.rail = Rail()
        self.words = ("", "")
        self._aim: int | None = None
        self._under: int | None = None
        self._pixmap = QPixmap()
        self._ground_of: tuple[object, ...] = ()
        theme.signals.changed.connect(self._dress)

    def show_rail(self, rail: Rail) -> None:
        """Shows a run."""

        self.rail = rail
        self.setAccessibleDescription(self.tr("step {} of {}").format(f"{rail.here:,}", f"{rail.end:,}"))
        self.update()

    def say(self, words: str, figures: str) -> None:
        """Says where in the run this is, at the left, and how the steps compare, at the right."""

        if (words, figures) != self.words:
            self.words = words, figures
            self.update()

    def aim(self, step: int | None) -> None:
        """Puts the handle at a step that is not yet shown; None puts it back at the one that is."""

        if step != self._aim:
            self._aim = step
            self.update()

    def sizeHint(self) -> QSize:
        px = theme.current().px
        return QSize(px(320), px(HEIGHT))

    def minimumSizeHint(self) -> QSize:
        px = theme.current().px
        return QSize(px(100), px(HEIGHT))

    # Places

    @property
    def track(self) -> QRectF:
        """Where the steps lie."""

        px = theme.current().px
        top = px(TEXT) + 1
        return QRectF(px(EDGE), top, max(self.width() - 2 * px(EDGE), 1), max(self.height() - top - px(2), 1))

    def place(self, step: float) -> float:
        """Returns where a step lies, in pixels from the left."""

        track = self.track
        return track.left() + track.width() * min(step / max(self.rail.end, 1), 1.0)

    def step_at(self, x: float) -> int | None:
        """Returns the kept step at a place; a named one within reach of the finger; None for the present."""

        track, rail = self.track, self.rail
        step = (x - track.left()) / track.width() * rail.end
        reach = theme.current().px(4)
        near = [moment.step for moment in rail.moments if abs(self.place(moment.step) - x) <= reach]
        if x >= track.right() - 1:
            return None
        return min(near, key=lambda at: abs(at - step)) if near else rail.nearest(step)

    # Mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._seek(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if event.buttons() & Qt.MouseButton.LeftButton:
            self._seek(event)
        under = self.step_at(event.position().x())
        self._under = self.rail.end if under is None else under
        self.update()

    def leaveEvent(self, event: QEvent) -> None:
        self._under = None
        self.update()

    def event(self, event: QEvent) -> bool:
        # Home means the canvas's zoom elsewhere in the window.
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in _KEYS:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, rail = Qt.Key(event.key()), self.rail
        here = rail.here if self._aim is None else self._aim
        if key not in _KEYS or not rail.kept:
            super().keyPressEvent(event)
        elif key in (Qt.Key.Key_Home, Qt.Key.Key_End):
            self.sought.emit(rail.kept[0] if key == Qt.Key.Key_Home else None)
        elif event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.sought.emit(rail.moment_beside(here, key == Qt.Key.Key_Right))
        else:
            far = key in (Qt.Key.Key_PageUp, Qt.Key.Key_PageDown)
            back = key in (Qt.Key.Key_Left, Qt.Key.Key_PageUp)
            self.sought.emit(rail.beside(here, (LEAP if far else 1) * (-1 if back else 1)))

    def _seek(self, event: QMouseEvent) -> None:
        if self.rail.kept:
            self.sought.emit(self.step_at(event.position().x()))

    # Painting

    def paintEvent(self, event: QPaintEvent) -> None:
        with painting(self) as painter:
            painter.drawPixmap(0, 0, self._ground())
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            self._paint_handle(painter)
            self._paint_words(painter)

    def _ground(self) -> QPixmap:
        """Returns the picture of what stays while somebody drags: the steps, the curve and the names."""

        rail, ratio = self.rail, self.devicePixelRatioF()
        shown = rail.end, rail.kept, rail.moments, rail.exact and len(rail.exact)
        of = (*shown, self.size(), ratio, theme.current(), self.hasFocus())
        if of != self._ground_of:
            self._ground_of, self._pixmap = of, QPixmap(self.size() * ratio)
            self._pixmap.setDevicePixelRatio(ratio)
            self._pixmap.fill(Qt.GlobalColor.transparent)
            with drawing(self._pixmap) as painter:
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                self._paint_steps(painter)
                self._paint_curve(painter)
                self._paint_moments(painter)
        return self._pixmap

    def _paint_steps(self, painter: QPainter) -> None:
        p, track, rail = theme.current().palette, self.track, self.rail
        painter.fillRect(track, QColor(p.raised))
        x = np.unique(np.round(track.left() + track.width() * np.array(rail.kept) / max(rail.end, 1)))
        bottom, top = track.bottom(), track.bottom() - theme.current().px(4)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(pen(theme.mix(p.muted, p.raised, 0.5).name()))
        painter.drawLines([QLineF(at, bottom, at, top) for at in x.tolist()])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(pen(p.accent))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRect(track.adjusted(0.5, 0.5, -0.5, -0.5))

    def _paint_curve(self, painter: QPainter) -> None:
        track = self.track
        points = self.rail.curve(max(int(track.width()) // 2, 1))
        if len(points) < 2:
            return
        x = track.left() + track.width() * points[:, 0]
        y = track.bottom() - 5 - (track.height() - 8) * points[:, 1]
        painter.setPen(pen(faded(theme.current().palette.ink, 0.55)))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(path([np.stack([x, y], axis=1)]))

    def _paint_moments(self, painter: QPainter) -> None:
        look, track, moments = theme.current(), self.track, self.rail.moments
        painter.setFont(look.font(10))
        metrics = painter.fontMetrics()
        places = [self.place(moment.step) for moment in moments]
        for moment, x, beyond in zip(moments, places, [*places[1:], track.right()]):
            _flag(painter, x, track, look.palette.ink)
            room = int(beyond - x) - look.px(10)
            name = metrics.elidedText(moment.name, Qt.TextElideMode.ElideRight, room)
            if room > look.px(18) and len(name) > 1:
                at = QRectF(x + look.px(8), track.top(), room, metrics.height())
                painter.fillRect(at.adjusted(0, 0, metrics.horizontalAdvance(name) - room, 0), _veil(look.palette))
                painter.setPen(QColor(look.palette.ink))
                painter.drawText(at, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop, name)

    def _paint_handle(self, painter: QPainter) -> None:
        p, track, rail, px = theme.current().palette, self.track, self.rail, theme.current().px
        if rail.pinned is not None:
            _mark(painter, self.place(rail.pinned), track, p.violet, px(4))
        if not rail.kept:
            return
        here = rail.here if self._aim is None else self._aim
        x = self.place(here)
        if rail.shown is not None or self._aim is not None:  # what came after it has not happened yet
            painter.fillRect(QRectF(QPointF(x, track.top()), track.bottomRight()), _veil(p))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(p.accent))
        painter.drawRoundedRect(QRectF(x - px(2), track.top() - 1, 2 * px(2), track.height() + 2), px(2), px(2))

    def _paint_words(self, painter: QPainter) -> None:
        look = theme.current()
        words, figures = self.words
        if self._under is not None and self.rail.kept:
            figures = self.tr("step {}").format(f"{self._under:,}")
            if figure := self.rail.figure(self._under):
                figures += f" · {figure[0]} {number(figure[1], 3)}"
            if moment := self.rail.moment(self._under):
                figures += f" · {' – '.join(filter(None, (moment.name, moment.note)))}"
        line = QRectF(look.px(EDGE), 0, self.width() - 2 * look.px(EDGE), look.px(TEXT))
        past = self.rail.shown is not None
        painter.setFont(look.font(11, QFont.Weight.DemiBold if past else QFont.Weight.Normal))
        painter.setPen(QColor(look.palette.accent if past else look.palette.muted))
        used = _write(painter, line, words, Qt.AlignmentFlag.AlignLeft)
        painter.setFont(look.font(11))
        painter.setPen(QColor(look.palette.ink))
        _write(painter, line.adjusted(used + look.px(12), 0, 0, 0), figures, Qt.AlignmentFlag.AlignRight)

    def _dress(self) -> None:
        self.updateGeometry()
        self.update()


def _veil(palette: theme.Palette) -> QColor:
    return faded(palette.panel, 0.6)


def _write(painter: QPainter, line: QRectF, text: str, flag: Qt.AlignmentFlag) -> int:
    """Writes a text into a line, with an ellipsis where it is too long; returns its width."""

    metrics = painter.fontMetrics()
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, max(int(line.width()), 0))
    painter.drawText(line, flag | Qt.AlignmentFlag.AlignVCenter, shown)
    return metrics.horizontalAdvance(shown)


def _flag(painter: QPainter, x: float, track: QRectF, colour: str) -> None:
    """Draws the flag of a step that has a name."""

    width, height = theme.current().px(6), theme.current().px(7)
    top = track.top()
    painter.setPen(pen(colour))
    painter.drawLine(QPointF(x, top), QPointF(x, track.bottom()))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawPolygon(QPolygonF([QPointF(x, top), QPointF(x + width, top + height / 2), QPointF(x, top + height)]))


def _mark(painter: QPainter, x: float, track: QRectF, colour: str, size: float) -> None:
    """Draws the mark of the step that is compared with: a line that ends in a diamond."""

    painter.setPen(pen(colour))
    painter.drawLine(QPointF(x, track.top()), QPointF(x, track.bottom()))
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    y = track.bottom() - size
    corners = [QPointF(x, y - size), QPointF(x + size, y), QPointF(x, y + size), QPointF(x - size, y)]
    painter.drawPolygon(QPolygonF(corners))
