from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from PySide6.QtCore import Qt

from ebmlab.paint.dots import Dot
from ebmlab.paint.shapes import faded, path, pen
from ebmlab.session.snapshot import Ways

if TYPE_CHECKING:
    from ebmlab.paint.overlays import Glass

HEAD = 6.0
"""Pixels of an arrow's head, and of half a cross."""
TURN = 0.45
"""Angle between an arrow and each stroke of its head."""


def draw_ways(glass: Glass, ways: Ways) -> None:
    """Draws where particles have gone in a transition: orange, or dashed up to a cross where they were sent back."""

    sane = (np.abs(ways.lines) < 1e6).all((1, 2))  # Qt hangs on lines that end at infinity
    lines, taken, owner = ways.lines[sane], ways.taken[sane], ways.owner[sane]
    if not len(lines):
        return
    pixels = glass.projection.pixels(lines.reshape(-1, 2)).reshape(-1, 2, 2)
    tips = len(owner) - 1 - np.unique(owner[::-1], return_index=True)[1]
    fresh = np.flatnonzero(sane)[tips] >= len(ways.lines) - ways.fresh
    painter, palette = glass.painter, glass.palette
    painter.setRenderHint(painter.RenderHint.Antialiasing)
    painter.setPen(pen(faded(palette.panel, 0.55), 3.5))  # orange on an orange landscape would be lost
    painter.drawPath(path(list(pixels)))
    for gone, colour, style in (
        (~taken, palette.muted, Qt.PenStyle.DashLine),
        (taken, palette.orange, Qt.PenStyle.SolidLine),
    ):
        painter.setPen(pen(faded(colour, 0.85), 1.25, style))
        painter.drawPath(path(list(pixels[gone])))
    painter.setPen(pen(palette.orange, 1.25))
    painter.drawPath(path(heads(pixels[tips[fresh & taken[tips]]])))
    painter.setPen(pen(palette.muted, 1.5))
    painter.drawPath(path(crosses(pixels[tips[~taken[tips]], 1])))
    ends = lines[tips[taken[tips]], 1]
    glass.dots.draw(painter, glass.paper, ends, Dot(palette.orange, palette.panel))


def heads(lines: np.ndarray) -> list[np.ndarray]:
    """Returns the head of an arrow along each line of pixels, with shape (n, 2, 2), that is long enough for one."""

    along = lines[:, 1] - lines[:, 0]
    length = np.linalg.norm(along, axis=-1)
    long = length > 1.5 * HEAD
    unit, tip = along[long] / length[long, None], lines[long, 1]
    c, s = np.cos(TURN), np.sin(TURN)
    back = [tip - HEAD * unit @ np.array([[c, turn], [-turn, c]]) for turn in (s, -s)]
    return list(np.stack([back[0], tip, back[1]], 1))


def crosses(at: np.ndarray) -> list[np.ndarray]:
    """Returns the two strokes of a cross at each of some pixels, with shape (n, 2)."""

    half = HEAD / 2
    return [np.stack([point - d, point + d]) for point in at for d in (np.array([half, half]), np.array([half, -half]))]
