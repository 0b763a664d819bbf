"""Whatever is painted, as the bytes of a PNG, an SVG or a PDF."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QRect, QSize, QSizeF
from PySide6.QtGui import QImage, QImageWriter, QPageSize, QPainter, QPdfWriter
from PySide6.QtSvg import QSvgGenerator

import ebmlab
from ebmlab.paint.shapes import drawing

DPI = 96
"""Pixels to the inch, for formats that are measured in lengths."""
Paint = Callable[[QPainter], None]


def png(image: QImage) -> bytes:
    """Returns a picture of pixels."""

    buffer = _buffer()
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def svg(paint: Paint, size: tuple[int, int], title: str) -> bytes:
    """Returns a drawing of a size in pixels, whose text, lines, curves and dots are such."""

    buffer, generator = _buffer(), QSvgGenerator()
    generator.setOutputDevice(buffer)
    generator.setResolution(DPI)
    generator.setSize(QSize(*size))
    generator.setViewBox(QRect(0, 0, *size))
    generator.setTitle(title)
    generator.setDescription(f"ebmlab {ebmlab.__version__}")
    with drawing(generator) as painter:
        paint(painter)
    return bytes(buffer.data().data())


def pdf(paint: Paint, size: tuple[int, int], title: str) -> bytes:
    """Returns the same on one page, of that size at 96 pixels to the inch."""

    buffer = _buffer()
    writer = QPdfWriter(buffer)
    writer.setResolution(DPI)
    writer.setPageSize(QPageSize(QSizeF(*(side * 72 / DPI for side in size)), QPageSize.Unit.Point, "picture"))
    writer.setPageMargins(QMarginsF(0, 0, 0, 0))
    writer.setTitle(title)
    writer.setCreator(f"ebmlab {ebmlab.__version__}")
    with drawing(writer) as painter:
        paint(painter)
    return bytes(buffer.data().data())


def _buffer() -> QBuffer:
    buffer = QBuffer()
    buffer.setData(QByteArray())
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    return buffer
