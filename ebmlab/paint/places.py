"""Where the cells of a layout lie on a page. No Qt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ebmlab.paint.layout import Cell

CHARTS_SHARE = 0.34
"""Share of the width that columns of charts get at the least."""
PANE_WEIGHT = 2
"""How many times as high as a chart a pane is in the same column."""
LEAST = 40
"""Pixels of a side of a cell, below which nothing can be seen."""


class Place(NamedTuple):
    """A rectangle of pixels."""

    x: int
    y: int
    width: int
    height: int


def places(columns: Sequence[Sequence[Cell]], room: Place, gap: int, head: int) -> list[list[Place]]:
    """Returns the place of each cell, column by column.

    Panes are square if they can be, and charts get the rest of the width; without charts the columns are equal.

    Arguments:
        columns: The cells.
        room: What they share.
        gap: Pixels between two of them.
        head: Pixels of a pane that its title takes up.
    """

    heights = [_shares([1 if c.is_chart else PANE_WEIGHT for c in column], room.height, gap) for column in columns]
    widths = _widths(columns, heights, room.width - gap * (len(columns) - 1), head)
    made, x = [], room.x
    for column, width in zip(heights, widths, strict=True):
        made.append([Place(x, room.y + sum(column[:i]) + gap * i, width, height) for i, height in enumerate(column)])
        x += width + gap
    return made


def _shares(weights: Sequence[int], length: int, gap: int) -> list[int]:
    """Returns a length shared out by weights, less the gaps; the last one takes what is left over."""

    length -= gap * (len(weights) - 1)
    shares = [length * weight // sum(weights) for weight in weights]
    return [*shares[:-1], length - sum(shares[:-1])]


def _widths(columns: Sequence[Sequence[Cell]], heights: Sequence[Sequence[int]], width: int, head: int) -> list[int]:
    squares = [
        max((height - head for cell, height in zip(column, high, strict=True) if not cell.is_chart), default=0)
        for column, high in zip(columns, heights, strict=True)
    ]
    charts = squares.count(0)
    if not charts or charts == len(columns):
        return _shares([1] * len(columns), width, 0)
    most = int(width * (1 - CHARTS_SHARE))
    shrink = min(1.0, most / sum(squares))
    panes = [int(side * shrink) for side in squares]
    rest = iter(_shares([1] * charts, width - sum(panes), 0))
    return [side or next(rest) for side in panes]
