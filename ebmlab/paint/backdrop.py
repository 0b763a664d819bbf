from __future__ import annotations

from functools import lru_cache
from time import monotonic
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, QSizeF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QLinearGradient, QPainter

from ebmlab.engine.types import Window
from ebmlab.paint.look import Theme
from ebmlab.paint.overlays import draw_lines
from ebmlab.paint.projection import Projection
from ebmlab.paint.shapes import faded, packed, painting
from ebmlab.paint.shows import Picture
from ebmlab.record.contours import contours, sparser
from ebmlab.record.raster import Raster

LINES_PERIOD = 1 / 8
"""Seconds from one tracing of the contour lines to the next at the least."""
BAR_PERIOD = 1 / 3
"""The same of the numbers at the colour bar, so that they can be read."""
NODES = 64
"""Nodes along either side between which contour lines are traced; the eye sees no more."""


class Sheet(NamedTuple):
    """What a picture is painted on."""

    projection: Projection
    window: Window  # the rectangle of the plane that the field covers
    ratio: float  # pixels of the screen per pixel of the pane
    theme: Theme
    lines: bool  # whether contour lines are wanted


class Backdrop:
    """What changes only with the snapshot or the zoom: the field in colours, its contour lines, its colour bar.

    Lines and the numbers of the bar follow the field at a slower pace than the colours.

    Attributes:
        late: Whether the last picture has lines or numbers of a former field, so that another is due.
    """

    def __init__(self) -> None:
        self._image = QImage()
        self._shown: Picture | None = None
        self._sheet: Sheet | None = None
        self._lines = Lines()
        self._bar = QImage()
        self._bar_of: tuple[object, ...] = ()
        self._bar_due = 0.0
        self._bar_late = False

    @property
    def late(self) -> bool:
        return self._lines.late or self._bar_late

    def forget(self) -> None:
        """Lets the next picture begin afresh, being of another kind."""

        self._shown, self._lines, self._bar_of = None, Lines(), ()

    def image(self, shown: Picture, sheet: Sheet) -> QImage:
        """Returns the picture of a pane at the resolution of the screen, made anew only if something differs."""

        if sheet != self._sheet or self._shown is None or self._lines.due or not _same(shown, self._shown, sheet):
            self._paint(shown, sheet)
            if sheet.lines and shown.lines is not None:
                lines = self._lines.image(shown.lines, shown.at, sheet)
                with painting(self._image) as painter:
                    painter.drawImage(0, 0, lines)
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
        np.take(_words(shown.colours.tobytes()), places, out=words, mode="wrap")

    def draw_bar(self, painter: QPainter, shown: Picture, sheet: Sheet) -> None:
        """Draws the colour bar in the upper right corner, over all else, so that its numbers can be read."""

        if shown.field is None:
            return
        made_of = (id(shown.colours), sheet.projection.width, sheet.theme, sheet.ratio, shown.bar)
        self._bar_late = made_of != self._bar_of
        if self._bar_late and (made_of[:-1] != self._bar_of[:-1] or monotonic() >= self._bar_due):
            self._bar_of, self._bar_late, self._bar_due = made_of, False, monotonic() + BAR_PERIOD
            self._bar = draw_bar(shown, sheet)
        width = self._bar.width() / sheet.ratio
        painter.drawImage(QPointF(sheet.projection.width - width, 0), self._bar)


class Lines:
    """The contour lines of a field that changes with every frame, as a clear picture to lay over it.

    Attributes:
        late: Whether the picture last returned is of a former field.
    """

    def __init__(self) -> None:
        self.late = False
        self._of: tuple[np.ndarray, tuple[float, ...]] | None = None
        self._lines: list[np.ndarray] = []
        self._image = QImage()
        self._image_for: Sheet | None = None
        self._not_before = 0.0

    @property
    def due(self) -> bool:
        """Whether the lines are of a former field and may be traced again."""

        return self.late and monotonic() >= self._not_before

    def image(self, field: np.ndarray, at: tuple[float, ...], sheet: Sheet) -> QImage:
        """Returns the lines of this field, or of one shortly before."""

        new = self._of is None or self._of[0] is not field or self._of[1] != at
        self.late = new and self._of is not None and monotonic() < self._not_before
        if new and not self.late:
            self._of, self._not_before = (field, at), monotonic() + LINES_PERIOD
            nodes, window = sparser(field, sheet.window, NODES)
            self._lines = contours(nodes, at, window)
            self._image_for = None
        if self._image_for != sheet:
            self._image_for = sheet
            self._draw(sheet)
        return self._image

    def _draw(self, sheet: Sheet) -> None:
        projection, ratio = sheet.projection, sheet.ratio
        size = QSize(round(projection.width * ratio), round(projection.height * ratio))
        if size != self._image.size():
            self._image = QImage(size, QImage.Format.Format_ARGB32_Premultiplied)
        self._image.setDevicePixelRatio(ratio)
        self._image.fill(Qt.GlobalColor.transparent)
        with painting(self._image) as painter:
            draw_lines(painter, projection, self._lines, sheet.theme.palette.ink)


@lru_cache(maxsize=8)
def _raster(rows: int, columns: int) -> Raster:
    """Panes of one size share their memory, which is then still at hand."""

    return Raster(rows, columns)


@lru_cache(maxsize=16)
def _words(colours: bytes) -> np.ndarray:
    return packed(np.frombuffer(colours, np.uint8).reshape(-1, 3))


def _same(a: Picture, b: Picture, sheet: Sheet) -> bool:
    """Compares arrays by identity: they never change in place."""

    if sheet.lines and (a.lines is not b.lines or a.at != b.at):
        return False
    return a.field is b.field and a.colours is b.colours and a.levels == b.levels


def draw_bar(shown: Picture, sheet: Sheet) -> QImage:
    """Returns a colour bar with a number at either end, on a ground of its own, for the upper right corner."""

    theme, palette, (low, high) = sheet.theme, sheet.theme.palette, shown.bar
    font = theme.font(10)
    metrics = QFontMetricsF(font)
    edge, gap = theme.px(4), theme.px(6)
    left, right = (metrics.horizontalAdvance(text) for text in (low, high))
    length = max(min(theme.px(60), sheet.projection.width - (edge + 4 * gap + left + right)), 0)
    size = QSizeF(edge + 4 * gap + left + length + right, edge + theme.px(18))
    image = QImage((size * sheet.ratio).toSize(), QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(sheet.ratio)
    image.fill(Qt.GlobalColor.transparent)
    ground = QRectF(0, edge, size.width() - edge, theme.px(18))
    bar = QRectF(2 * gap + left, ground.center().y() - theme.px(3), length, theme.px(6))
    base = ground.center().y() + metrics.capHeight() / 2
    with painting(image) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(faded(palette.panel, 0.9))
        painter.drawRoundedRect(ground, theme.px(4), theme.px(4))
        painter.setPen(faded(palette.muted, 0.6))
        painter.setBrush(_gradient(bar, shown.colours))
        painter.drawRect(bar)
        painter.setFont(font)
        painter.setPen(QColor(palette.muted))
        painter.drawText(QPointF(gap, base), low)
        painter.drawText(QPointF(bar.right() + gap, base), high)
    return image


def _gradient(bar: QRectF, colours: np.ndarray | None) -> QLinearGradient:
    gradient = QLinearGradient(bar.topLeft(), bar.topRight())
    for i, colour in enumerate(() if colours is None else colours[::15].tolist()):
        gradient.setColorAt(i / 17, QColor(*colour))
    return gradient
