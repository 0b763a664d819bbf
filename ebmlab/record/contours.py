r"""Contour lines by marching squares.

Between two neighbouring nodes a field is taken to be linear, so that a line at level c crosses the side from a to b at

.. math:: t = \frac{c - f_a}{f_b - f_a}

Each piece of line runs with the higher side on its left, hence the end of one is the start of the next.

References:
    | Marching cubes: a high resolution 3D surface construction algorithm (Lorensen & Cline, 1987)
    | https://doi.org/10.1145/37402.37422
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ebmlab.record.raster import Window

_DOWN, _RIGHT, _UP, _LEFT = range(4)
# From side to side by which corners are above: 1 lower left, 2 lower right, 4 upper right, 8 upper left; higher on the
# left. The two saddles, 5 and 10, are cut for a low centre; 16 and 17 are the same for a high one.
_CASES: tuple[tuple[tuple[int, int], ...], ...] = (
    (),
    ((_DOWN, _LEFT),),
    ((_RIGHT, _DOWN),),
    ((_RIGHT, _LEFT),),
    ((_UP, _RIGHT),),
    ((_DOWN, _LEFT), (_UP, _RIGHT)),
    ((_UP, _DOWN),),
    ((_UP, _LEFT),),
    ((_LEFT, _UP),),
    ((_DOWN, _UP),),
    ((_RIGHT, _DOWN), (_LEFT, _UP)),
    ((_RIGHT, _UP),),
    ((_LEFT, _RIGHT),),
    ((_DOWN, _RIGHT),),
    ((_LEFT, _DOWN),),
    (),
    ((_DOWN, _RIGHT), (_UP, _LEFT)),
    ((_RIGHT, _UP), (_LEFT, _DOWN)),
)
_FIRST = np.array([case[0] if case else (-1, -1) for case in _CASES])
_SECOND = np.array([case[1] if len(case) > 1 else (-1, -1) for case in _CASES])
# A side by the corner it starts at, as (row, column) of a cell, and whether it is vertical.
_SIDES = np.array([(0, 0, 0), (0, 1, 1), (1, 0, 0), (0, 0, 1)])


def contours(field: np.ndarray, levels: Sequence[float], window: Window) -> list[np.ndarray]:
    """Returns the contour lines of a field, each with shape (n, 2); a closed one ends where it begins.

    Arguments:
        field: Values at the cell centres of the window, with shape (rows, columns), in rows from bottom to top. No
            line goes through a cell with a corner that is not finite.
        levels: Where the lines are wanted.
        window: The rectangle of the plane that the field covers.
    """

    field = np.asarray(field, np.float64)
    starts, ends = _segments(field, np.asarray(levels, np.float64))
    if not len(starts):
        return []
    names, where = np.unique(np.concatenate([starts, ends]), return_inverse=True)
    points = _crossings(field, np.asarray(levels, np.float64), names, window)
    return [points[chain] for chain in _chains(where[: len(starts)], where[len(starts) :], len(names))]


def sparser(field: np.ndarray, window: Window, most: int) -> tuple[np.ndarray, Window]:
    """Returns every n-th value of a field, at most so many to a side, and the window whose cell centres they are."""

    step = -(-max(field.shape) // most)
    if step <= 1:
        return field, window
    kept = field[::step, ::step]
    left, right, bottom, top = window
    dx, dy = (right - left) / field.shape[1], (top - bottom) / field.shape[0]
    left, bottom = left + dx * (1 - step) / 2, bottom + dy * (1 - step) / 2
    return kept, (left, left + kept.shape[1] * step * dx, bottom, bottom + kept.shape[0] * step * dy)


def _segments(field: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the sides, as numbers, at which each piece of line starts and ends."""

    rows, columns = field.shape
    above = (field > levels[:, None, None]).astype(np.uint8)
    case = above[:, :-1, :-1] + 2 * above[:, :-1, 1:] + 4 * above[:, 1:, 1:] + 8 * above[:, 1:, :-1]
    finite = np.isfinite(field)
    whole = finite[:-1, :-1] & finite[:-1, 1:] & finite[1:, 1:] & finite[1:, :-1]
    level, row, column = np.nonzero((case > 0) & (case < 15) & whole)
    kind = case[level, row, column].astype(int)
    saddle = np.flatnonzero((kind == 5) | (kind == 10))
    r, c = row[saddle], column[saddle]
    centre = (field[r, c] + field[r, c + 1] + field[r + 1, c] + field[r + 1, c + 1]) / 4
    high = saddle[centre > levels[level[saddle]]]
    kind[high] = np.where(kind[high] == 5, 16, 17)

    def number(side: np.ndarray, chosen: np.ndarray) -> np.ndarray:
        dr, dc, vertical = _SIDES[side].T
        return ((level[chosen] * rows + row[chosen] + dr) * columns + column[chosen] + dc) * 2 + vertical

    everyone, double = np.arange(len(kind)), np.flatnonzero(_SECOND[kind, 0] >= 0)
    return (
        np.concatenate([number(_FIRST[kind, 0], everyone), number(_SECOND[kind[double], 0], double)]),
        np.concatenate([number(_FIRST[kind, 1], everyone), number(_SECOND[kind[double], 1], double)]),
    )


def _crossings(field: np.ndarray, levels: np.ndarray, names: np.ndarray, window: Window) -> np.ndarray:
    rows, columns = field.shape
    corner, vertical = np.divmod(names, 2)
    place, column = np.divmod(corner, columns)
    level, row = np.divmod(place, rows)
    a, b = field[row, column], field[row + vertical, column + 1 - vertical]
    t = (levels[level] - a) / (b - a)
    left, right, bottom, top = window
    x = left + (right - left) * (column + t * (1 - vertical) + 0.5) / columns
    y = bottom + (top - bottom) * (row + t * vertical + 0.5) / rows
    return np.stack([x, y], -1)


def _chains(starts: np.ndarray, ends: np.ndarray, n: int) -> list[list[int]]:
    """Joins pieces into lines: open ones from where nothing arrives, then the closed ones."""

    after = [-1] * n
    for a, b in zip(starts.tolist(), ends.tolist()):
        after[a] = b
    heads = np.ones(n, bool)
    heads[ends] = False
    lines = []
    for head in [*np.flatnonzero(heads).tolist(), *starts.tolist()]:
        if after[head] < 0:
            continue
        line, here = [head], head
        while (following := after[here]) >= 0:
            after[here] = -1
            line.append(following)
            here = following
        lines.append(line)
    return lines
