from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QFont, QPainter

from ebmlab.paint.fields import Fields, probe, slope
from ebmlab.paint.look import Theme
from ebmlab.paint.projection import Point
from ebmlab.paint.shapes import faded, font
from ebmlab.paint.shows import number
from ebmlab.paint.words import translate


def readout(fields: Fields, at: Point) -> tuple[str, ...]:
    """Returns what is known about a point of the plane, a line each; the first is the point itself."""

    snapshot, window = fields.snapshot, fields.snapshot.lens.window
    lines = [f"{at[0]:.2f}, {at[1]:.2f}".replace("-", "−")]
    energy = probe(snapshot.energy, window, at)
    log_model = probe(fields.log_model, window, at)
    log_target = probe(snapshot.target, window, at)
    if energy is not None:
        none = translate("Canvas", "not normalisable") if fields.unnormalisable else "…"
        lines.append(f"E {number(energy)}   log pθ {none if log_model is None else number(log_model)}")
    if gradient := slope(snapshot.energy, window, at):
        lines.append(translate("Canvas", "score") + f" {number(-gradient[0])}, {number(-gradient[1])}")
    if log_target is not None:
        lines.append(translate("Canvas", "target p") + f" {number(exp(log_target))}")
    if log_model is not None and log_target is not None:
        lines[-1] += f"   p/pθ {number(exp(log_target - log_model))}"
    return tuple(lines)


def exp(x: float) -> float:
    """Returns the exponential, infinity where it is beyond all numbers."""

    return math.exp(x) if x < 700 else math.inf


def draw_readout(painter: QPainter, lines: tuple[str, ...], height: int, theme: Theme) -> None:
    """Draws the read-out in the lower left corner, legible over any picture."""

    palette = theme.palette
    fonts = [font(theme, 11, QFont.Weight.DemiBold), *[font(theme, 11)] * (len(lines) - 1)]
    painter.setFont(fonts[-1])
    step = painter.fontMetrics().height()
    width = max(painter.fontMetrics().horizontalAdvance(line) for line in lines) + theme.px(20)
    box = QRectF(theme.px(8), height - len(lines) * step - theme.px(18), width, len(lines) * step + theme.px(10))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(faded(palette.line, 0.9))
    painter.setBrush(faded(palette.panel, 0.86))
    painter.drawRoundedRect(box, theme.px(6), theme.px(6))
    painter.setPen(QColor(palette.ink))
    for i, (line, chosen) in enumerate(zip(lines, fonts)):
        painter.setFont(chosen)
        painter.drawText(QPointF(box.x() + theme.px(8), box.y() + theme.px(5) + (i + 0.78) * step), line)
