"""The entries of a chart's legend: a piece of each curve's line with its name."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter, QPen

from ebmlab.paint.axes import pen
from ebmlab.paint.curves import Curve
from ebmlab.paint.look import Theme, mix
from ebmlab.paint.shapes import font

_SAMPLES = {"solid": [], "dashed": [2.0, 1.2], "dotted": [0.9, 0.9]}


def entry_size(label: str, look: Theme) -> QSize:
    """Returns the room that an entry takes."""

    width = QFontMetrics(font(look, 11)).horizontalAdvance(label)
    return QSize(width + look.px(14 + 5 + 10), look.px(20))


def draw_entry(painter: QPainter, room: QRectF, curve: Curve, look: Theme, on: bool = True) -> None:
    """Draws an entry in its room, fainter if its curve is hidden."""

    palette, middle = look.palette, room.center().y()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setOpacity(1.0 if on else 0.35)
    painter.setPen(_sample(curve, look))
    painter.drawLine(QPointF(room.left() + look.px(5), middle), QPointF(room.left() + look.px(19), middle))
    painter.setOpacity(1.0)
    painter.setPen(mix(palette.ink if on else palette.muted, palette.panel, 0.85))
    painter.setFont(font(look, 11))
    text = room.adjusted(look.px(24), 0, look.px(24), 0)
    painter.drawText(text, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), curve.label)


def draw_legend(painter: QPainter, room: QRectF, curves: Sequence[Curve], look: Theme) -> None:
    """Draws as many entries as find room, flush right."""

    widths, seen = [entry_size(curve.label, look).width() for curve in curves], list[tuple[Curve, int]]()
    for curve, width in zip(curves, widths, strict=True):
        if sum(w for _, w in seen) + width <= room.width():
            seen.append((curve, width))
    left = room.right() - sum(width for _, width in seen)
    for curve, width in seen:
        draw_entry(painter, QRectF(left, room.top(), width, room.height()), curve, look)
        left += width


def _sample(curve: Curve, look: Theme) -> QPen:
    line = pen(curve.role, look.palette, curve.dash)
    line.setWidthF(2.0)
    line.setCapStyle(Qt.PenCapStyle.FlatCap)
    if _SAMPLES[curve.dash]:
        line.setDashPattern(_SAMPLES[curve.dash])
    return line
