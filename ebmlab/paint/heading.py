"""The line above a pane or a chart: a title, and what there is to say beside it."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QStaticText, QTextOption

from ebmlab.paint.look import Theme
from ebmlab.paint.shapes import font
from ebmlab.paint.threads import kept_by_thread

GAP = 8
"""Pixels between the title and what stands beside it."""


@kept_by_thread(64)
def _prepared(text: str, look: Theme) -> QStaticText:
    """Returns rich text laid out."""

    made = QStaticText(text)
    made.setTextFormat(Qt.TextFormat.RichText)
    option = QTextOption()
    option.setWrapMode(QTextOption.WrapMode.NoWrap)
    made.setTextOption(option)
    made.prepare(font=font(look, 11))
    return made


def draw_heading(painter: QPainter, room: QRectF, title: str, beside: str, look: Theme) -> float:
    """Draws a title and, if there is room, the rich text beside it; returns how wide they are.

    Arguments:
        painter: Paints it.
        room: Where it may be.
        title: Plain text.
        beside: Rich text, in the muted colour.
        look: Colours and scale.
    """

    bold = font(look, 12, QFont.Weight.DemiBold)
    painter.setFont(bold)
    painter.setPen(QColor(look.palette.ink))
    painter.drawText(room, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), title)
    used = QFontMetricsF(bold).horizontalAdvance(title)
    if not beside:
        return used
    text = _prepared(beside, look)
    if used + GAP + text.size().width() > room.width():
        return used
    painter.setFont(font(look, 11))
    painter.setPen(QColor(look.palette.muted))
    painter.drawStaticText(QPointF(room.left() + used + GAP, room.center().y() - text.size().height() / 2), text)
    return used + GAP + text.size().width()
