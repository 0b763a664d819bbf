"""Many small round dots at once: Qt takes milliseconds for a thousand round points, an array a fraction of one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from ebmlab.paint.projection import Projection

PHASES = 4
"""Places within a pixel that are told apart, along each axis."""

KNOWN = 32
"""Sets of points whose places are remembered: a trail was where the dots have been."""


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
    """How the plane lies on a pane, and pixels of the screen per pixel of the pane."""

    projection: Projection
    ratio: float = 1.0
    vector: bool = False  # whether dots are to stay circles, as in a file for print

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of pixels of the screen."""

        return round(self.projection.width * self.ratio), round(self.projection.height * self.ratio)


class Places(NamedTuple):
    """Where points lie on a paper."""

    points: np.ndarray  # kept, so that their identity stays theirs
    start: np.ndarray  # of each point inside the pane, the place in the image
    phase: np.ndarray  # where in its pixel it lies


class Dots:
    """Draws dots by way of one clear image, kept from time to time."""

    def __init__(self) -> None:
        self._image = QImage()
        self._known: dict[tuple[int, Paper, int], Places] = {}

    def draw(
        self, painter: QPainter, paper: Paper, points: np.ndarray, dot: Dot, past: Sequence[np.ndarray] = ()
    ) -> None:
        """Draws a dot at each point; where two overlap, each pixel is that of the nearer.

        Arguments:
            painter: Paints on the pane.
            paper: The pane.
            points: Points of the plane, with shape (n, 2), which do not change in place; those outside are left out.
            dot: What each looks like.
            past: Points of former times, which leave single pixels, the longer ago the fainter.
        """

        if paper.vector:
            draw_circles(painter, paper, points, dot, past)
            return
        stencil = stencil_of(dot, paper.ratio)
        width, height = (side + 2 * stencil.reach for side in paper.size)
        words = self._clear(width, height)
        for former, shade in zip(past, _shades(dot, len(past))):
            words[self._places(former, paper, stencil.reach).start] = shade
        places = self._places(points, paper, stencil.reach)
        # The last word written to a place stays, and the nearest come last.
        words[_offsets(stencil, width) + places.start] = stencil.words[:, places.phase]
        self._image.setDevicePixelRatio(paper.ratio)
        margin = -stencil.reach / paper.ratio
        painter.drawImage(QPointF(margin, margin), self._image)

    def _clear(self, width: int, height: int) -> np.ndarray:
        if (self._image.width(), self._image.height()) != (width, height):
            self._image = QImage(width, height, QImage.Format.Format_ARGB32_Premultiplied)
        self._image.fill(0)
        return np.frombuffer(self._image.bits(), np.uint32)

    def _places(self, points: np.ndarray, paper: Paper, margin: int) -> Places:
        key = id(points), paper, margin
        if key not in self._known:
            if len(self._known) >= KNOWN:
                del self._known[next(iter(self._known))]
            self._known[key] = Places(points, *_placed(points, paper, margin))
        return self._known[key]


def draw_circles(painter: QPainter, paper: Paper, points: np.ndarray, dot: Dot, past: Sequence[np.ndarray]) -> None:
    """Draws the same dots as circles, and the points of former times as squares."""

    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for i, former in enumerate(past):
        shade = QColor(dot.colour)
        shade.setAlphaF(0.5 * (i + 1) / len(past))
        painter.setBrush(shade)
        painter.drawRects([QRectF(x - 0.5, y - 0.5, 1, 1) for x, y in _inside(former, paper)])
    rim, centres = QColor(dot.rim), _inside(points, paper)
    rim.setAlphaF(dot.strength)
    for colour, radius in ((rim, dot.radius + dot.width), (QColor(dot.colour), dot.radius)):
        painter.setBrush(colour)
        for x, y in centres:
            painter.drawEllipse(QPointF(x, y), radius, radius)
    painter.setBrush(Qt.BrushStyle.NoBrush)


def _inside(points: np.ndarray, paper: Paper) -> list[list[float]]:
    pixels = paper.projection.pixels(points)
    most = paper.projection.width, paper.projection.height
    return pixels[((pixels >= 0) & (pixels < most)).all(-1)].tolist()


def _placed(points: np.ndarray, paper: Paper, margin: int) -> tuple[np.ndarray, np.ndarray]:
    columns, rows = paper.size
    x, y = paper.projection.pixels(points).T * paper.ratio
    inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
    x, y = x[inside], y[inside]
    column, row = x.astype(int), y.astype(int)
    phase = ((x - column) * PHASES).astype(int) + PHASES * ((y - row) * PHASES).astype(int)
    return (row + margin) * (columns + 2 * margin) + column + margin, phase


@lru_cache(maxsize=32)
def _shades(dot: Dot, n: int) -> tuple[np.uint32, ...]:
    """Returns the words of n pixels of a trail, the eldest first."""

    return tuple(_packed(0.5 * np.arange(1, n + 1) / max(n, 1), np.zeros(n), dot))


def _offsets(stencil: Stencil, width: int) -> np.ndarray:
    """Returns how far the pixels of a dot are from its place in an image, with shape (k, 1)."""

    return stencil.steps[:, :1] * width + stencil.steps[:, 1:]


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
