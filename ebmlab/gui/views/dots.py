"""Many small round dots at once: Qt takes milliseconds for a thousand round points, an array a fraction of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QImage, QPainter

PHASES = 4
"""Places within a pixel that are told apart, along each axis."""


class Dot(NamedTuple):
    """What a dot looks like: a core, and a rim that sets it off from any picture."""

    colour: str
    rim: str
    radius: float = 1.5  # pixels, as the width
    width: float = 1.0
    strength: float = 0.6  # opacity of the rim


class Stencil(NamedTuple):
    """The pixels near a dot, from the farthest to the nearest, and their colours by where in its pixel the dot lies."""

    steps: np.ndarray  # (k, 2), row and column
    words: np.ndarray  # (k, PHASES²), as Qt packs colours: alpha first, the rest times alpha
    reach: int


class Paper(NamedTuple):
    """A pane's size, and pixels of the screen per pixel of the pane."""

    width: int
    height: int
    ratio: float = 1.0


class Dots:
    """Draws dots by way of one clear image, kept from time to time."""

    def __init__(self) -> None:
        self._image = QImage()

    def draw(
        self, painter: QPainter, paper: Paper, points: np.ndarray, dot: Dot, past: Sequence[np.ndarray] = ()
    ) -> None:
        """Draws a dot at each point; where two overlap, each pixel is that of the nearer.

        Arguments:
            painter: Paints on the pane.
            paper: The pane.
            points: Pixels of the pane, with shape (n, 2); those outside are left out.
            dot: What each looks like.
            past: Points of former times, which leave single pixels, the longer ago the fainter.
        """

        stencil = stencil_of(dot, paper.ratio)
        width = round(paper.width * paper.ratio) + 2 * stencil.reach
        words = self._clear(width, round(paper.height * paper.ratio) + 2 * stencil.reach)
        for i, former in enumerate(past):
            start, _ = _places(former, paper, stencil.reach)
            words[start] = _packed(np.array(0.5 * (i + 1) / len(past)), np.array(0.0), dot)
        start, phase = _places(points, paper, stencil.reach)
        # The last word written to a place stays, and the nearest come last.
        words[stencil.steps @ [[width], [1]] + start] = stencil.words[:, phase]
        self._image.setDevicePixelRatio(paper.ratio)
        margin = -stencil.reach / paper.ratio
        painter.drawImage(QPointF(margin, margin), self._image)

    def _clear(self, width: int, height: int) -> np.ndarray:
        if (self._image.width(), self._image.height()) != (width, height):
            self._image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        self._image.fill(0)
        return np.frombuffer(self._image.bits(), np.uint32)


def _places(points: np.ndarray, paper: Paper, margin: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the place in the image of each point inside the pane, and where in its pixel it lies."""

    columns, rows = round(paper.width * paper.ratio), round(paper.height * paper.ratio)
    x, y = points.T * paper.ratio
    inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    x, y = x[inside], y[inside]
    column, row = x.astype(int), y.astype(int)
    phase = ((x - column) * PHASES).astype(int) + PHASES * ((y - row) * PHASES).astype(int)
    return (row + margin) * (columns + 2 * margin) + column + margin, phase


@lru_cache(maxsize=32)
def stencil_of(dot: Dot, ratio: float) -> Stencil:
    """Returns the pixels that a dot covers, and how: coverage falls from 1 to 0 within a pixel of the edge."""

    radius, whole = dot.radius * ratio, (dot.radius + dot.width) * ratio
    reach = int(np.ceil(whole + 0.5))
    side = np.arange(-reach, reach + 1)
    steps = np.stack(np.meshgrid(side, side, indexing="ij"), -1).reshape(-1, 1, 2)
    phase = (np.arange(PHASES) + 0.5) / PHASES
    centres = np.stack(np.meshgrid(phase, phase, indexing="ij"), -1).reshape(1, -1, 2)
    distance = np.linalg.norm(steps + 0.5 - centres, axis=-1)
    covered = (whole + 0.5 - distance).clip(0, 1)
    inner = (radius + 0.5 - distance).clip(0, 1)
    order = np.argsort(-distance.mean(-1))
    order = order[covered[order].any(-1)]
    words = _packed(inner, (covered - inner) * dot.strength, dot)
    return Stencil(steps[order, 0], words[order], reach)


def _packed(inner: np.ndarray, outer: np.ndarray, dot: Dot) -> np.ndarray:
    core, rim = QColor(dot.colour), QColor(dot.rim)
    words = np.zeros(inner.shape, np.uint32)
    for a, b in ((255, 255), (core.red(), rim.red()), (core.green(), rim.green()), (core.blue(), rim.blue())):
        words = words << 8 | (a * inner + b * outer + 0.5).astype(np.uint32)
    return words
