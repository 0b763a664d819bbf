from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPixmap, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from ebmlab.gui import theme
from ebmlab.paint.equations import draw_row, lines, missing, typeset


class EquationView(QWidget):
    """Shows equations, as wide as it is and as high as they need. They are set once it is seen, not before."""

    def __init__(self, equations: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._equations = equations
        self._picture = QPixmap()
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._advance)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(self.tr("Equation"))
        self.setAccessibleDescription("; ".join(equations))
        self.setFixedHeight(theme.current().px(38) if equations else 0)
        theme.signals.changed.connect(self._timer.start)

    def set_equations(self, equations: tuple[str, ...]) -> None:
        """Shows other equations."""

        if equations != self._equations:
            self._equations = equations
            self.setAccessibleDescription("; ".join(equations))
            self._timer.start()

    def _advance(self) -> None:
        """Typesets one piece a turn of the event loop, so that the window never stands still for long."""

        if (tex := missing(self._equations, self._room())) is None:
            self.typeset()
        else:
            typeset(tex)
            self._timer.start()

    def _room(self) -> float:
        look = theme.current()
        return (self.width() - 2 * look.px(8)) / look.scale

    def typeset(self) -> None:
        """Sets the equations for the present width, colours and scale."""

        look = theme.current()
        pad, scale = look.px(8), look.scale
        rows = lines(self._equations, self._room()) if self._room() > 20 else []
        boxes = [[typeset(piece) for piece in row] for row in rows]
        heights = [max(b.ascent for b in row) + max(b.descent for b in row) + 6 for row in boxes]
        if not rows:
            self._picture = QPixmap()
            self.setFixedHeight(0)
            return
        self.setFixedHeight(round(sum(heights) * scale + 2 * pad - 6 * scale))
        ratio = self.devicePixelRatioF()
        self._picture = QPixmap(self.size() * ratio)
        self._picture.setDevicePixelRatio(ratio)
        self._picture.fill(QColor(0, 0, 0, 0))
        painter = QPainter(self._picture)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.translate(0, pad)
        painter.scale(scale, scale)
        for row, height in zip(boxes, heights):
            draw_row(painter, row, self.width() / scale, pad / scale, look.palette)
            painter.translate(0, height)
        painter.end()
        self.update()

    def showEvent(self, event: QShowEvent) -> None:
        self._timer.start()

    def resizeEvent(self, event: QResizeEvent) -> None:
        if event.size().width() != event.oldSize().width() and self.isVisible():
            self._timer.start()

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._picture)
