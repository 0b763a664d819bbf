from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from ebmlab.gui import theme
from ebmlab.paint.shapes import painting, pen

ROOM = 4
"""Pixels between a widget and the frame around it, at scale 1."""


class PastFrame(QWidget):
    """A frame around what shows the past, so that nobody takes it for the present.

    Arguments:
        around: What it is drawn around.
        ground: What holds both, with some room about the first.
    """

    def __init__(self, around: QWidget, ground: QWidget) -> None:
        super().__init__(ground)
        self._around, self._ground, self._on = around, ground, False
        self.setObjectName("past-frame")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.hide()
        around.installEventFilter(self)
        ground.installEventFilter(self)

    def turn(self, on: bool) -> None:
        """Shows it, or hides it."""

        if on != self._on:
            self._on = on
            self._fit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        kinds = (QEvent.Type.Resize, QEvent.Type.Move, QEvent.Type.Show, QEvent.Type.Hide, QEvent.Type.LayoutRequest)
        if self._on and event.type() in kinds:
            self._fit()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme.current()
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(pen(look.palette.accent, look.px(2)))
            painter.drawRoundedRect(self.rect().toRectF().adjusted(1.5, 1.5, -1.5, -1.5), look.px(10), look.px(10))

    def _fit(self) -> None:
        room = theme.current().px(ROOM)
        at = self._around.mapTo(self._ground, QPoint(0, 0))
        self.setGeometry(QRect(at, self._around.size()).adjusted(-room, -room, room, room))
        self.setVisible(self._on and self._around.isVisible())
        self.raise_()
