"""A chart as a file: drawn as it stands on the screen, or as the numbers in it."""

from __future__ import annotations

import copy
import csv
import io
from pathlib import Path
from typing import Any

import numpy as np
from PySide6.QtGui import QColor, QImage, QPainter

from ebmlab.gui import theme
from ebmlab.paint import sheets
from ebmlab.paint.chart import ChartPainter
from ebmlab.paint.page import Page
from ebmlab.paint.plot import PlotPainter
from ebmlab.paint.shapes import drawing
from ebmlab.spec import BadInput

ENDINGS = (".png", ".svg", ".pdf", ".csv")
RATIO = 2
"""Pixels of a PNG per pixel of the screen."""


def save_chart(chart: ChartPainter[Any], size: tuple[int, int], path: Path) -> None:
    """Saves a chart as PNG, SVG, PDF or CSV, by the file's ending; beside and renamed.

    Arguments:
        chart: The chart, which stays as it is.
        size: Width and height on the screen, in pixels.
        path: The file.

    Raises:
        BadInput: If there is no such format, or the file cannot be written.
    """

    if path.suffix.lower() not in ENDINGS:
        raise BadInput(f"no chart ends like this; end it in {', '.join(ENDINGS)}", source=str(path))
    content = _content(chart, size, path.suffix.lower())
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(content)
        beside.replace(path)
    except OSError as fault:
        message = f"{(fault.strerror or 'cannot be written').lower()}; choose another place"
        raise BadInput(message, source=str(path)) from None


def _content(chart: ChartPainter[Any], size: tuple[int, int], ending: str) -> bytes:
    if ending == ".csv":
        return _numbers(chart)
    page = Page(*size, theme.current(), RATIO if ending == ".png" else 1, vector=ending != ".png")
    drawn = _copied(chart)
    if ending == ".png":
        return sheets.png(_image(drawn, page))
    make = sheets.svg if ending == ".svg" else sheets.pdf
    return make(lambda painter: _paint(drawn, painter, page), size, chart.source.title)


def _copied(chart: ChartPainter[Any]) -> ChartPainter[Any]:
    """Returns a painter of the same curves between the same axes, with a page of its own."""

    made, plot = copy.copy(chart), PlotPainter()
    plot.scale, plot.x, plot.y = chart.plot.scale, chart.plot.x, chart.plot.y
    made.plot = plot
    return made


def _image(chart: ChartPainter[Any], page: Page) -> QImage:
    image = QImage(RATIO * page.width, RATIO * page.height, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(RATIO)
    with drawing(image) as painter:
        _paint(chart, painter, page)
    return image


def _paint(chart: ChartPainter[Any], painter: QPainter, page: Page) -> None:
    painter.fillRect(page.rect, QColor(page.theme.palette.panel))
    chart.paint(painter, page)


def _numbers(chart: ChartPainter[Any]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(("curve", chart.source.across or "step", "value", "stderr"))
    for curve in chart.curves:
        errors = np.full(len(curve.x), np.nan) if curve.error is None else curve.error
        for x, y, error in zip(curve.x, curve.y, errors, strict=True):
            writer.writerow((curve.label, f"{x:.10g}", f"{y:.10g}", "" if np.isnan(error) else f"{error:.6g}"))
    return text.getvalue().encode()
