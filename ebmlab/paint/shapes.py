"""Arrays as what Qt draws, without a Python object for each number: through Qt's own stream format."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QByteArray, QDataStream, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPaintDevice, QPainter, QPainterPath, QPen

from ebmlab.paint.look import Palette, Theme
from ebmlab.paint.threads import kept_by_thread

_ELEMENT = np.dtype([("kind", ">i4"), ("x", ">f8"), ("y", ">f8")])


@contextmanager
def drawing(device: QPaintDevice) -> Iterator[QPainter]:
    """Gives a painter and ends it whatever happens: Qt crashes on one left behind."""

    painter = QPainter(device)
    try:
        yield painter
    finally:
        painter.end()


@contextmanager
def painting(device: QPaintDevice) -> Iterator[QPainter]:
    """Gives the painter of a paint event.

    An exception goes to the excepthook and no farther: PySide crashes on one that leaves a paint event.
    """

    with drawing(device) as painter:
        try:
            yield painter
        except Exception:
            sys.excepthook(*sys.exc_info())


@contextmanager
def shifted(painter: QPainter, x: float, y: float) -> Iterator[None]:
    """Moves the origin meanwhile, and undoes what else is set up."""

    painter.save()
    painter.translate(x, y)
    try:
        yield
    finally:
        painter.restore()


def path(lines: Sequence[np.ndarray]) -> QPainterPath:
    """Returns polylines of pixels, each with shape (n, 2), as one path."""

    made = QPainterPath()
    if not len(lines):
        return made
    points = np.concatenate(lines)
    elements = np.empty(len(points), _ELEMENT)
    elements["kind"] = 1
    elements["kind"][np.cumsum([0, *(len(line) for line in lines[:-1])])] = 0
    elements["x"], elements["y"] = points.T
    data = struct.pack(">I", len(points)) + elements.tobytes() + struct.pack(">ii", 0, 0)
    QDataStream(QByteArray(data)) >> made
    return made


def packed(colours: np.ndarray) -> np.ndarray:
    """Returns opaque colours, with shape (n, 3), uint8, as Qt packs them."""

    wide = colours.astype(np.uint32)
    return (0xFF000000 | wide[:, 0] << 16 | wide[:, 1] << 8 | wide[:, 2]).astype(np.uint32)


def pen(colour: QColor | str, width: float = 1.0, style: Qt.PenStyle = Qt.PenStyle.SolidLine) -> QPen:
    """Returns a pen whose width is in pixels at any zoom; its caps are square, which Qt draws ten times as fast."""

    made = QPen(QColor(colour), width, style, Qt.PenCapStyle.SquareCap, Qt.PenJoinStyle.RoundJoin)
    made.setCosmetic(True)
    return made


def faded(colour: QColor | str, alpha: float) -> QColor:
    """Returns a colour with an opacity in [0, 1]."""

    made = QColor(colour)
    made.setAlphaF(alpha)
    return made


def chip(painter: QPainter, at: QPointF, text: str, palette: Palette) -> None:
    """Lays a ground under a text whose base line begins at a point, so that it can be read over any picture."""

    box = QRectF(painter.fontMetrics().boundingRect(text)).translated(at).adjusted(-4, -2, 4, 2)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(faded(palette.panel, 0.82))
    painter.drawRoundedRect(box, 4, 4)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def label(painter: QPainter, at: QPointF, text: str, palette: Palette) -> None:
    """Draws a text on a ground of its own."""

    chip(painter, at, text, palette)
    painter.setPen(QColor(palette.ink))
    painter.drawText(at, text)


@lru_cache(maxsize=16)
def corners(radius: int, ratio: float, outside: str, edge: str) -> tuple[QImage, QImage]:
    """Returns pictures of the two lower corners of a rounded frame: what is outside it, and its line half a pixel wide.

    Arguments:
        radius: Of the frame's inner side, in pixels; the pictures are a pixel larger.
        ratio: Pixels of the screen per pixel.
        outside: The colour beyond.
        edge: The colour of the line.
    """

    side = radius + 1
    both = QImage(QSize(2 * side, side) * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    both.setDevicePixelRatio(ratio)
    both.fill(Qt.GlobalColor.transparent)
    beyond, line = QPainterPath(), QPainterPath()
    for x, start in ((0.0, 180.0), (2.0 * (side - radius), 270.0)):
        circle = QRectF(x, side - 2 * radius, 2 * radius, 2 * radius)
        beyond.moveTo(0.0 if x == 0 else 2 * side, side)
        beyond.arcTo(circle, start, 90.0)
        beyond.closeSubpath()
        around = circle.adjusted(-0.5, -0.5, 0.5, 0.5)
        line.arcMoveTo(around, start)
        line.arcTo(around, start, 90.0)
    with drawing(both) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillPath(beyond, QColor(outside))
        painter.strokePath(line, pen(edge))
    half = round(side * ratio)
    return both.copy(0, 0, half, both.height()), both.copy(both.width() - half, 0, half, both.height())


@kept_by_thread(32)
def font(theme: Theme, size: float, weight: QFont.Weight = QFont.Weight.Normal) -> QFont:
    """Returns a theme's font, made once."""

    return theme.font(size, weight)
