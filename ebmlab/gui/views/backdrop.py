from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QLinearGradient, QPainter

from ebmlab.engine.types import Window
from ebmlab.gui.theme import Theme
from ebmlab.gui.views.overlays import draw_lines
from ebmlab.gui.views.projection import Projection
from ebmlab.gui.views.shapes import faded, packed, painting
from ebmlab.gui.views.shows import Picture
from ebmlab.record.contours import contours
from ebmlab.record.raster import Raster


class Sheet(NamedTuple):
    """What a picture is painted on."""

    projection: Projection
    window: Window  # the rectangle of the plane that the field covers
    ratio: float  # pixels of the screen per pixel of the pane
    theme: Theme
    lines: bool  # whether contour lines are wanted


class Backdrop:
    """What changes only with the snapshot or the zoom: the field in colours, its contour lines, its colour bar."""

    def __init__(self) -> None:
        self._image = QImage()
        self._bar = QImage()
        self._bar_of: tuple[object, ...] = ()
        self._shown: Picture | None = None
        self._sheet: Sheet | None = None

    def image(self, shown: Picture, sheet: Sheet) -> QImage:
        """Returns the picture of a pane at the resolution of the screen, made anew only if something differs."""

        if sheet != self._sheet or self._shown is None or not _same(shown, self._shown, sheet.lines):
            self._paint(shown, sheet)
            self._decorate(shown, sheet)
        self._shown, self._sheet = shown, sheet
        return self._image

    def _paint(self, shown: Picture, sheet: Sheet) -> None:
        projection, ratio = sheet.projection, sheet.ratio
        width, height = round(projection.width * ratio), round(projection.height * ratio)
        if (width, height) != (self._image.width(), self._image.height()):
            self._image = QImage(width, height, QImage.Format.Format_RGB32)
        self._image.setDevicePixelRatio(ratio)
        if shown.field is None or shown.colours is None:
            self._image.fill(QColor(sheet.theme.palette.panel))
            return
        places = _raster(height, width).enlarge(shown.field, shown.levels, sheet.window, projection.window)
        words = np.frombuffer(self._image.bits(), np.uint32).reshape(height, width)
        # Any mode but the default writes straight into the image; no place is out of range.
        np.take(packed(shown.colours), places, out=words, mode="wrap")

    def _decorate(self, shown: Picture, sheet: Sheet) -> None:
        with painting(self._image) as painter:
            if sheet.lines and shown.lines is not None:
                lines = contours(shown.lines, shown.at, sheet.window)
                draw_lines(painter, sheet.projection, lines, sheet.theme.palette.ink)
            if shown.field is not None:
                painter.drawImage(0, 0, self._bar_image(shown, sheet))

    def _bar_image(self, shown: Picture, sheet: Sheet) -> QImage:
        made_of = (shown.bar, id(shown.colours), sheet.projection.width, sheet.theme, sheet.ratio)
        if made_of != self._bar_of:
            self._bar_of = made_of
            size = QSize(sheet.projection.width, sheet.theme.px(24))
            self._bar = QImage(size * sheet.ratio, QImage.Format.Format_ARGB32_Premultiplied)
            self._bar.setDevicePixelRatio(sheet.ratio)
            self._bar.fill(Qt.GlobalColor.transparent)
            with painting(self._bar) as painter:
                _draw_bar(painter, sheet.projection, shown, sheet.theme)
        return self._bar


@lru_cache(maxsize=8)
def _raster(rows: int, columns: int) -> Raster:
    """Panes of one size share their memory, which is then still at hand."""

    return Raster(rows, columns)


def _same(a: Picture, b: Picture, lines: bool) -> bool:
    """Compares arrays by identity: they never change in place."""

    if lines and (a.lines is not b.lines or a.at != b.at):
        return False
    return a.field is b.field and a.colours is b.colours and (a.levels, a.bar) == (b.levels, b.bar)


def _draw_bar(painter: QPainter, projection: Projection, shown: Picture, theme: Theme) -> None:
    """Draws a colour bar in the upper right corner, with a number at either end."""

    palette, (low, high) = theme.palette, shown.bar
    painter.setFont(theme.font(10))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    metrics = painter.fontMetrics()
    right = projection.width - theme.px(8) - metrics.horizontalAdvance(high)
    bar = QRectF(right - theme.px(66), theme.px(9), theme.px(60), theme.px(6))
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for i, colour in enumerate(() if shown.colours is None else shown.colours[::15].tolist()):
        gradient.setColorAt(i / 17, QColor(*colour))
    base = bar.center().y() + metrics.capHeight() / 2
    left = bar.left() - theme.px(6) - metrics.horizontalAdvance(low)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(faded(palette.panel, 0.82))
    ground = QRectF(left - theme.px(6), theme.px(4), projection.width - left + theme.px(2), theme.px(16))
    painter.drawRoundedRect(ground, theme.px(4), theme.px(4))
    painter.setPen(faded(palette.muted, 0.6))
    painter.setBrush(gradient)
    painter.drawRect(bar)
    painter.setPen(QColor(palette.muted))
    painter.drawText(QPointF(left, base), low)
    painter.drawText(QPointF(right, base), high)
