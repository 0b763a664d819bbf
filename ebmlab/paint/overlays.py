"""What lies over a pane's picture: points, trails, arrows, modes, and the stage of slow motion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QPointF
from PySide6.QtGui import QColor, QPainter

from ebmlab.engine.oracle import Mode
from ebmlab.engine.types import Window
from ebmlab.paint.dots import Dot, Dots, Paper
from ebmlab.paint.look import Palette
from ebmlab.paint.projection import Projection
from ebmlab.paint.shapes import chip, faded, path, pen
from ebmlab.paint.ways import draw_ways
from ebmlab.paint.words import QT_TRANSLATE_NOOP
from ebmlab.session.snapshot import Field, StageShown


class Overlay(NamedTuple):
    """What a person may lay over any picture."""

    title: str
    help: str
    needs: frozenset[Field] = frozenset()


OVERLAYS: dict[str, Overlay] = {
    "data": Overlay(QT_TRANSLATE_NOOP("Canvas", "Data"), QT_TRANSLATE_NOOP("Canvas", "The last batch, in blue.")),
    "negatives": Overlay(
        QT_TRANSLATE_NOOP("Canvas", "Negatives"),
        QT_TRANSLATE_NOOP("Canvas", "Where the estimator believes the model has mass, in orange."),
    ),
    "particles": Overlay(
        QT_TRANSLATE_NOOP("Canvas", "Particles"),
        QT_TRANSLATE_NOOP("Canvas", "The sampler's particles with fading trails."),
    ),
    "contours": Overlay(
        QT_TRANSLATE_NOOP("Canvas", "Contours"),
        QT_TRANSLATE_NOOP("Canvas", "Lines every 2 nats from the greatest density on."),
    ),
    "modes": Overlay(
        QT_TRANSLATE_NOOP("Canvas", "Modes"),
        QT_TRANSLATE_NOOP("Canvas", "The target's modes, with the mass of the target and of the model in each basin."),
    ),
    "score": Overlay(
        QT_TRANSLATE_NOOP("Canvas", "Score of the model"),
        QT_TRANSLATE_NOOP("Canvas", "Arrows along −∇E, in orange."),
        frozenset({"score"}),
    ),
    "target-score": Overlay(
        QT_TRANSLATE_NOOP("Canvas", "Score of the target"),
        QT_TRANSLATE_NOOP("Canvas", "Arrows along ∇ log p, in blue."),
        frozenset({"target-score"}),
    ),
}

_STAGE_COLOURS = {"data": "blue", "positive": "blue", "negatives": "orange", "negative": "orange", "noise": "violet"}


class Glass(NamedTuple):
    """What overlays are painted on."""

    painter: QPainter
    projection: Projection
    palette: Palette
    dots: Dots
    ratio: float = 1.0
    vector: bool = False

    @property
    def paper(self) -> Paper:
        """What dots are drawn on."""

        return Paper(self.projection, self.ratio, self.vector)


def draw_lines(painter: QPainter, projection: Projection, lines: Sequence[np.ndarray], colour: str) -> None:
    """Draws polylines of the plane thinly."""

    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(pen(faded(colour, 0.38)))
    painter.drawPath(path([projection.pixels(line) for line in lines]))


def draw_points(glass: Glass, points: np.ndarray, colour: str, past: Sequence[np.ndarray] = ()) -> None:
    """Draws points as dots, with a rim that sets them off from the picture, and with trails if there is a past."""

    glass.dots.draw(glass.painter, glass.paper, points, Dot(colour, glass.palette.panel), past)


def draw_arrows(glass: Glass, vectors: np.ndarray, window: Window, colour: str) -> None:
    """Draws a vector field, with shape (rows, columns, 2), on the cell centres of a window."""

    rows, columns = vectors.shape[:2]
    left, right, bottom, top = window
    x = left + (right - left) * (np.arange(columns) + 0.5) / columns
    y = bottom + (top - bottom) * (np.arange(rows) + 0.5) / rows
    at = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2)
    cell = min((right - left) / columns, (top - bottom) / rows)
    glass.painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    glass.painter.setPen(pen(colour))
    glass.painter.drawPath(path(list(arrows(at, vectors.reshape(-1, 2), cell, glass.projection))))


def arrows(at: np.ndarray, vectors: np.ndarray, cell: float, projection: Projection) -> np.ndarray:
    r"""Returns each arrow as a polyline of pixels, with shape (n, 5, 2); what is not finite is left out.

    The length is :math:`\ell \, |s| / (1 + |s|)` with :math:`\ell` a cell, so that the strong ones do not overrun.
    """

    good = np.isfinite(vectors).all(-1)
    at, vectors = at[good], vectors[good].astype(float)
    length = np.linalg.norm(vectors, axis=-1, keepdims=True)
    step = vectors * cell / (1 + length)
    start, end = projection.pixels(at - step / 2), projection.pixels(at + step / 2)
    along = end - start
    across = np.stack([-along[:, 1], along[:, 0]], -1)
    barbs = end - 0.3 * along + 0.17 * across, end - 0.3 * along - 0.17 * across
    return np.stack([start, end, barbs[0], end, barbs[1]], 1)


def draw_modes(glass: Glass, modes: Sequence[Mode]) -> None:
    """Draws the target's modes: a cross each, and the mass of the target and of the model in their colours."""

    painter, palette = glass.painter, glass.palette
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    metrics = painter.fontMetrics()
    for mode in modes:
        at = glass.projection.pixel((mode.x, mode.y))
        for colour, width in ((palette.panel, 3.5), (palette.ink, 1.5)):
            painter.setPen(pen(colour, width))
            painter.drawLine(at - QPointF(4, 0), at + QPointF(4, 0))
            painter.drawLine(at - QPointF(0, 4), at + QPointF(0, 4))
        target, model = f"{mode.target_mass:.2f}", "" if mode.model_mass is None else f"{mode.model_mass:.2f}"
        place = at + QPointF(10, -6)
        chip(painter, place, f"{target} {model}".rstrip(), palette)
        painter.setPen(QColor(palette.blue))
        painter.drawText(place, target)
        painter.setPen(QColor(palette.orange))
        painter.drawText(place + QPointF(metrics.horizontalAdvance(target + " "), 0), model)


def draw_stage(glass: Glass, stage: StageShown) -> None:
    """Draws the points of a stage of slow motion, each with a line from where it came, or the ways of particles."""

    if stage.ways is not None:
        draw_ways(glass, stage.ways)
        return
    if stage.points is None or not len(stage.points):
        return
    colour = getattr(glass.palette, _STAGE_COLOURS.get(stage.name, "ink"))
    glass.painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if stage.origin is not None and len(stage.origin) == len(stage.points):
        sane = _sane(stage.origin) & _sane(stage.points)
        ends = np.stack([glass.projection.pixels(x[sane]) for x in (stage.origin, stage.points)], 1)
        glass.painter.setPen(pen(faded(colour, 0.6)))
        glass.painter.drawPath(path(list(ends)))
    draw_points(glass, stage.points, colour)


def draw_crosshair(glass: Glass, at: tuple[float, float]) -> None:
    """Draws the point under the cursor as two lines across the pane."""

    painter, projection = glass.painter, glass.projection
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.setPen(pen(faded(glass.palette.muted, 0.5)))
    x, y = round(projection.pixel(at).x()), round(projection.pixel(at).y())
    painter.drawLine(x, 0, x, projection.height)
    painter.drawLine(0, y, projection.width, y)


def _sane(points: np.ndarray) -> np.ndarray:
    """Returns which points Qt can be given: it hangs on lines that end at infinity."""

    return (np.abs(points) < 1e6).all(-1)
