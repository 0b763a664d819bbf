"""The painter of a pane: a picture of the plane with what lies over it, at any size, for the window and for films."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFont, QPainter

from ebmlab.engine.types import Window
from ebmlab.paint import overlays as over
from ebmlab.paint.backdrop import LIVE, Backdrop, Pace, Sheet, traced
from ebmlab.paint.bar import Bar
from ebmlab.paint.camera import Camera
from ebmlab.paint.dots import Dots
from ebmlab.paint.fields import Fields
from ebmlab.paint.histogram import Histogram
from ebmlab.paint.look import Theme
from ebmlab.paint.page import Page
from ebmlab.paint.projection import Point, Projection
from ebmlab.paint.readout import draw_readout, readout
from ebmlab.paint.shapes import font, label, shifted
from ebmlab.paint.shows import SHOWS, Picture, histogram
from ebmlab.paint.surface import SurfacePainter, View
from ebmlab.paint.words import translate
from ebmlab.session.snapshot import Snapshot

FINEST = 256
"""Nodes along either side between which contour lines for print are traced."""
TRAIL = 4
"""Sets of particles that leave a trail."""


@dataclass(eq=False)
class Shared:
    """What all panes of a canvas, or of a film, have in common."""

    window: Window = (-6.0, 6.0, -6.0, 6.0)
    fields: Fields | None = None
    past: deque[np.ndarray] = field(default_factory=lambda: deque(maxlen=TRAIL))
    histogram: Histogram = field(default_factory=Histogram)
    dots: Dots = field(default_factory=Dots)
    hover: Point | None = None
    camera: Camera = Camera()
    sketch: Callable[[QPainter, Projection], None] | None = None  # paints what a tool is about

    def take(self, snapshot: Snapshot) -> None:
        """Takes in the next snapshot; trails end where the run goes back to an earlier step."""

        before = self.fields
        if before is not None and snapshot.step < before.snapshot.step:
            self.past.clear()
            self.histogram.clear()
        elif before is not None and snapshot.particles is not before.snapshot.particles:
            self.past.append(before.snapshot.particles)
        self.fields = Fields(snapshot, before)


class PlanePainter:
    """Paints one pane's picture of the plane.

    Arguments:
        shared: What it has in common with its neighbours.
        pace: How often what is slow, or has to be read, follows the field.

    Attributes:
        kind: What it shows, a key of ``SHOWS``.
        overlays: What lies over it, keys of ``OVERLAYS``.
        speaks: Whether it names the stage of slow motion.
        reads: Whether it says what is known about the point under the cursor.
    """

    def __init__(self, shared: Shared, pace: Pace = LIVE) -> None:
        self.kind = "target"
        self.overlays: frozenset[str] = frozenset()
        self.speaks = self.reads = False
        self._shared = shared
        self._backdrop = Backdrop(pace)
        self._surface = SurfacePainter(pace)
        self._picture = Picture()
        self._picture_of: tuple[object, ...] = ()

    def show_kind(self, kind: str) -> None:
        """Shows another kind of picture, with the overlays that become it."""

        self.kind, self.overlays = kind, SHOWS[kind].overlays
        self._backdrop.forget()

    @property
    def solid(self) -> bool:
        """Whether it shows a surface, which a camera looks at."""

        return SHOWS[self.kind].solid

    def plane(self, pixel: QPointF, width: int, height: int) -> Point | None:
        """Returns the point of the plane that a pixel of a page shows; None where there is none."""

        return self._surface.plane(pixel) if self.solid else self.projection(width, height).plane(pixel)

    @property
    def late(self) -> bool:
        """Whether something slow is still of a former field, so that it is to be painted again."""

        return self._backdrop.late

    def projection(self, width: int, height: int) -> Projection:
        """Returns how the plane lies on a page of this size."""

        return Projection.fit(self._shared.window, width, height)

    def paint(self, painter: QPainter, page: Page) -> None:
        """Paints the pane on a page."""

        painter.setFont(font(page.theme, 11))
        if self._shared.fields is None:
            painter.fillRect(page.rect, QColor(page.theme.palette.panel))
            _say(painter, translate("Canvas", "starting…"), page)
            return
        shown = self.picture(self._shared.fields, page.theme)
        projection = self.projection(page.width, page.height)
        glass = over.Glass(painter, projection, page.theme.palette, self._shared.dots, page.ratio, page.vector)
        sheet = self._sheet(projection, page)
        if self.solid:
            self._paint_surface(glass, page, shown, sheet)
        else:
            self._paint_flat(glass, page, shown, sheet)
        self._paint_bar(glass, shown, sheet)
        if shown.note:
            _say(painter, shown.note, page)
        if self._shared.hover is not None and self.reads:
            draw_readout(painter, readout(self._shared.fields, self._shared.hover), page.height, page.theme)

    def picture(self, fields: Fields, look: Theme) -> Picture:
        """Returns what is shown of the fields."""

        made_of = (fields, self.kind, look)
        if made_of != self._picture_of:
            self._picture_of = made_of
            self._picture = SHOWS[self.kind].picture(fields, look.palette.dark)
            counts = self._shared.histogram.density
            if self.kind == "samples" and counts is not None:
                self._picture = histogram(counts, fields.top, look.palette.dark, self._picture)
        return self._picture

    def _sheet(self, projection: Projection, page: Page) -> Sheet:
        assert self._shared.fields is not None
        lines = "contours" in self.overlays and not page.vector
        return Sheet(projection, self._shared.fields.snapshot.lens.window, page.ratio, page.theme, lines)

    def _paint_surface(self, glass: over.Glass, page: Page, shown: Picture, sheet: Sheet) -> None:
        shared, palette, surface = self._shared, glass.palette, self._surface
        view = View(sheet.window, shared.window, shared.camera, "contours" in self.overlays)
        surface.paint(glass.painter, page, shown, view)
        assert shared.fields is not None
        snapshot = shared.fields.snapshot
        if "data" in self.overlays:
            surface.draw_points(glass, snapshot.data, palette.blue)
        if "negatives" in self.overlays:
            surface.draw_points(glass, snapshot.negatives, palette.orange)
        if "particles" in self.overlays:
            surface.draw_points(glass, snapshot.particles, palette.ink, shared.past)
        if "modes" in self.overlays and snapshot.figures is not None:
            surface.draw_modes(glass, snapshot.figures.modes)
        if shared.hover is not None:
            surface.draw_cross(glass.painter, page, shared.hover)

    def _paint_flat(self, glass: over.Glass, page: Page, shown: Picture, sheet: Sheet) -> None:
        assert self._shared.fields is not None
        self._paint_backdrop(glass, shown, sheet)
        self._paint_fields(glass, self._shared.fields.snapshot)
        self._paint_points(glass, self._shared.fields.snapshot, page)
        if self._shared.sketch is not None:
            self._shared.sketch(glass.painter, glass.projection)
        if self._shared.hover is not None:
            over.draw_crosshair(glass, self._shared.hover)

    def _paint_backdrop(self, glass: over.Glass, shown: Picture, sheet: Sheet) -> None:
        glass.painter.drawImage(0, 0, self._backdrop.image(shown, sheet))
        if glass.vector and "contours" in self.overlays and shown.lines is not None:
            lines = traced(shown.lines, shown.at, sheet.window, FINEST)
            over.draw_lines(glass.painter, glass.projection, lines, glass.palette.ink)

    def _paint_bar(self, glass: over.Glass, shown: Picture, sheet: Sheet) -> None:
        if not glass.vector:
            self._backdrop.draw_bar(glass.painter, shown, sheet)
        elif shown.field is not None:
            bar = Bar.of(shown, sheet.projection.width, sheet.theme)
            with shifted(glass.painter, sheet.projection.width - bar.size.width(), 0):
                bar.draw(glass.painter)

    def _paint_fields(self, glass: over.Glass, snapshot: Snapshot) -> None:
        window, palette = snapshot.lens.window, glass.palette
        if "target-score" in self.overlays and snapshot.target_score is not None:
            over.draw_arrows(glass, snapshot.target_score, window, palette.blue)
        if "score" in self.overlays and snapshot.score is not None:
            over.draw_arrows(glass, snapshot.score, window, palette.orange)

    def _paint_points(self, glass: over.Glass, snapshot: Snapshot, page: Page) -> None:
        palette = glass.palette
        if "data" in self.overlays:
            over.draw_points(glass, snapshot.data, palette.blue)
        if "negatives" in self.overlays:
            over.draw_points(glass, snapshot.negatives, palette.orange)
        if "particles" in self.overlays:
            over.draw_points(glass, snapshot.particles, palette.ink, self._shared.past)
        if "modes" in self.overlays and snapshot.figures is not None:
            over.draw_modes(glass, snapshot.figures.modes)
        if snapshot.stage is not None:
            over.draw_stage(glass, snapshot.stage)
            if self.speaks and not (self.reads and self._shared.hover is not None):  # the read-out lies there
                _caption(glass.painter, snapshot.stage.text, page)


def _say(painter: QPainter, text: str, page: Page) -> None:
    painter.setFont(font(page.theme, 12))
    painter.setPen(QColor(page.theme.palette.muted))
    painter.drawText(page.rect, Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, text)


def _caption(painter: QPainter, text: str, page: Page) -> None:
    painter.setFont(font(page.theme, 12, QFont.Weight.DemiBold))
    text = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, page.width - 28)
    label(painter, QPointF(14, page.height - 14), text, page.theme.palette)
