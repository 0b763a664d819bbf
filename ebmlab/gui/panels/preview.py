from __future__ import annotations

from collections.abc import Callable, Generator

from PySide6.QtCore import QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ebmlab.gui import theme
from ebmlab.paint.shapes import painting
from ebmlab.session.errand import Errand

LOOK = 30
"""Milliseconds between two looks whether the picture is there."""


class Preview(QWidget):
    """Shows a picture that is made in a thread of its own; of several that are asked for, the last.

    Signals:
        refused: Why a picture cannot be made, as a sentence; empty once one can.
    """

    refused = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setMinimumSize(theme.current().px(220), theme.current().px(130))
        self.setAccessibleName(self.tr("Preview"))
        self.image = QImage()
        self._wanted: Callable[[], QImage] | None = None
        self._errand: Errand[float, QImage] | None = None
        self._timer = QTimer(self, interval=LOOK)
        self._timer.timeout.connect(self._look)

    @property
    def busy(self) -> bool:
        """Whether a picture is being made."""

        return self._errand is not None

    def sizeHint(self) -> QSize:
        return QSize(theme.current().px(560), theme.current().px(330))

    def ask(self, make: Callable[[], QImage]) -> None:
        """Asks for another picture.

        Arguments:
            make: Makes it, in the thread.
        """

        self._wanted = make
        self._begin()

    def close_down(self) -> None:
        """Waits for the picture that is being made, and wants no other."""

        self._wanted = None
        self._timer.stop()
        if self._errand is not None:
            self._errand.call_off()
            self._errand = None

    def _begin(self) -> None:
        if self._errand is None and (make := self._wanted) is not None:
            self._wanted = None
            self._errand = Errand(lambda: _making(make))
            self._errand.start()
            self._timer.start()

    def _look(self) -> None:
        outcome = None if self._errand is None else self._errand.outcome.take()
        if outcome is None:
            return
        self._errand = None
        self._timer.stop()
        if outcome.result is not None:
            self.image = outcome.result
            self.update()
        self.refused.emit(outcome.fault)
        self._begin()

    def paintEvent(self, event: QPaintEvent) -> None:
        with painting(self) as painter:
            if self.image.isNull():
                painter.setPen(QColor(theme.current().palette.muted))
                painter.drawText(self.rect(), int(Qt.AlignmentFlag.AlignCenter), self.tr("painting…"))
                return
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
            size = self.image.size().scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
            place = QRect(0, 0, size.width(), size.height())
            place.moveCenter(self.rect().center())
            painter.drawImage(place, self.image)


def _making(make: Callable[[], QImage]) -> Generator[float, None, QImage]:
    yield 0.0
    return make()
