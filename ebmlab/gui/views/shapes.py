"""Arrays as what Qt draws, without a Python object for each number: through Qt's own stream format."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache

import numpy as np
from PySide6.QtCore import QByteArray, QDataStream, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPaintDevice, QPainter, QPainterPath, QPen

from ebmlab.gui.theme import Palette

_ELEMENT = np.dtype([("kind", ">i4"), ("x", ">f8"), ("y", ">f8")])


@contextmanager
def painting(device: QPaintDevice) -> Iterator[QPainter]:
    """Gives a painter and ends it whatever happens.

    An exception goes to the excepthook and no farther: PySide crashes on one that leaves a paint event, and Qt on a
    painter left behind.
    """

    painter = QPainter(device)
    try:
        yield painter
    except Exception:
        sys.excepthook(*sys.exc_info())
    finally:
        painter.end()


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
def corners(width: int, height: int, radius: float) -> tuple[QPainterPath, QPainterPath]:
    """Returns what lies outside the two lower corners of a rounded rectangle, and lines half a pixel around them."""

    outside, edge = QPainterPath(), QPainterPath()
    for x, start in ((0.0, 180.0), (width - 2 * radius, 270.0)):
        circle = QRectF(x, height - 2 * radius, 2 * radius, 2 * radius)
        outside.moveTo(0.0 if x == 0 else width, height)
        outside.arcTo(circle, start, 90.0)
        outside.closeSubpath()
        around = circle.adjusted(-0.5, -0.5, 0.5, 0.5)
        edge.arcMoveTo(around, start)
        edge.arcTo(around, start, 90.0)
    return outside, edge
