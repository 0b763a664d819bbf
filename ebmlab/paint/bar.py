"""The colour bar in a corner of a pane: its colours with a number at either end, on a ground of its own."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QLinearGradient, QPainter

from ebmlab.paint.look import Theme
from ebmlab.paint.shapes import drawing, faded, font
from ebmlab.paint.shows import Picture


class Bar(NamedTuple):
    """A colour bar and its measures."""

    colours: np.ndarray | None
    ends: tuple[str, str]
    theme: Theme
    sides: tuple[float, float]  # widths of the two numbers
    length: float

    @classmethod
    def of(cls, shown: Picture, room: float, theme: Theme) -> Bar:
        """Returns the bar of a picture, within so many pixels."""

        metrics = QFontMetricsF(font(theme, 10))
        left, right = (metrics.horizontalAdvance(text) for text in shown.bar)
        length = min(theme.px(60), room - (theme.px(4) + 4 * theme.px(6) + left + right))
        return cls(shown.colours, shown.bar, theme, (left, right), max(length, 0))

    @property
    def size(self) -> QSizeF:
        """What it takes up, with the margins to the pane's upper and right edges."""

        edge = self.theme.px(4)
        return QSizeF(edge + 4 * self.theme.px(6) + sum(self.sides) + self.length, edge + self.theme.px(18))

    def draw(self, painter: QPainter) -> None:
        """Draws it with its upper left corner at the origin."""

        theme, palette, (low, high) = self.theme, self.theme.palette, self.ends
        edge, gap = theme.px(4), theme.px(6)
        ground = QRectF(0, edge, self.size.width() - edge, theme.px(18))
        bar = QRectF(2 * gap + self.sides[0], ground.center().y() - theme.px(3), self.length, theme.px(6))
        base = ground.center().y() + QFontMetricsF(font(theme, 10)).capHeight() / 2
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(faded(palette.panel, 0.9))
        painter.drawRoundedRect(ground, theme.px(4), theme.px(4))
        painter.setPen(faded(palette.muted, 0.6))
        painter.setBrush(_gradient(bar, self.colours))
        painter.drawRect(bar)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setFont(font(theme, 10))
        painter.setPen(QColor(palette.muted))
        painter.drawText(QPointF(gap, base), low)
        painter.drawText(QPointF(bar.right() + gap, base), high)

    def image(self, ratio: float) -> QImage:
        """Returns a picture of it, at so many pixels of the screen per pixel."""

        image = QImage((self.size * ratio).toSize(), QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(ratio)
        image.fill(Qt.GlobalColor.transparent)
        with drawing(image) as painter:
            self.draw(painter)
        return image


def _gradient(bar: QRectF, colours: np.ndarray | None) -> QLinearGradient:
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for i, colour in enumerate(() if colours is None else colours[::15].tolist()):
        gradient.setColorAt(i / 17, QColor(*colour))
    return gradient
