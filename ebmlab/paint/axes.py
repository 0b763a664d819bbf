"""The look of a chart: colours and pens of its curves, and its axes as painted."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ebmlab.paint.curves import Dash, Role
from ebmlab.paint.look import Palette, Theme
from ebmlab.paint.shapes import faded, font
from ebmlab.paint.ticks import Tick

_COLOURS: dict[Role, str] = {
    "exact": "ink",
    "target": "blue",
    "model": "orange",
    "second": "violet",
    "muted": "muted",
}
_DASHES: dict[Dash, list[float]] = {"solid": [], "dashed": [6.0, 4.0], "dotted": [1.5, 3.0]}


def colour(role: Role, palette: Palette) -> QColor:
    """Returns the colour of a role."""

    return QColor(getattr(palette, _COLOURS[role]))


def pen(role: Role, palette: Palette, dash: Dash = "solid") -> QPen:
    """Returns a hairline: wider ones cost several times as much to paint."""

    made = QPen(colour(role, palette), 1.0)
    made.setCosmetic(True)
    if _DASHES[dash]:
        made.setDashPattern(_DASHES[dash])
    return made


def draw_axes(
    painter: QPainter,
    area: QRectF,
    at: tuple[tuple[Tick, ...], tuple[Tick, ...]],
    look: Theme,
    label: str = "",
    grid: bool = True,
) -> None:
    """Draws two axes, with their ticks at pixels: those across, of what the label says, then those of the values.

    Arguments:
        painter: Paints them.
        area: What they enclose to the left and below.
        at: The ticks of either.
        look: Colours and scale.
        label: What the axis across counts.
        grid: Whether faint lines go through the area.
    """

    painter.setFont(font(look, 10))
    flags, height = Qt.AlignmentFlag, look.px(18)
    for tick in at[1]:
        if grid:
            painter.setPen(faded(look.palette.line, 0.4))
            painter.drawLine(QPointF(area.left(), tick.at), QPointF(area.right(), tick.at))
        painter.setPen(QColor(look.palette.muted))
        top = min(max(tick.at - height / 2, -4.0), area.bottom() - height / 2)
        room = QRectF(0, top, area.left() - look.px(5), height)
        painter.drawText(room, int(flags.AlignRight | flags.AlignVCenter), tick.text)
    for tick in at[0]:
        half = painter.fontMetrics().horizontalAdvance(tick.text) / 2
        centre = min(tick.at, area.right() - half)
        room = QRectF(centre - half - 2, area.bottom(), 2 * half + 4, height)
        painter.drawText(room, int(flags.AlignCenter), tick.text)
    corner = QRectF(0, area.bottom(), area.left() - look.px(8), height)
    painter.drawText(corner, int(flags.AlignRight | flags.AlignVCenter), label)
    painter.setPen(QColor(look.palette.line))
    painter.drawLine(area.topLeft(), area.bottomLeft())
    painter.drawLine(area.bottomLeft(), area.bottomRight())
