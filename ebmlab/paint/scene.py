"""The painter of films and pictures: panes and charts as a layout puts them, on any painter."""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property

from PySide6.QtGui import QColor, QImage, QPainter

from ebmlab.engine.types import Window
from ebmlab.paint.backdrop import Pace
from ebmlab.paint.card import draw_card
from ebmlab.paint.cells import ChartCell, PaneCell
from ebmlab.paint.layout import Layout
from ebmlab.paint.page import Page
from ebmlab.paint.places import LEAST, Place, places
from ebmlab.paint.plane import FINEST, Shared
from ebmlab.paint.shapes import drawing, shifted
from ebmlab.paint.sight import Sight, wanted
from ebmlab.paint.sign import draw_caption, draw_figures, draw_formula, formula_height
from ebmlab.session.snapshot import Lens, Snapshot
from ebmlab.spec import BadInput

STILL = Pace(lines=0.0, bar=0.0, nodes=FINEST)
"""Lines and numbers are always those of the field."""
LEAST_SCALE = 0.6
"""Text gets no smaller, however small the picture is."""
PLAIN = 1280, 720
"""The size at which a pixel of the picture is one of the window."""


class Scene:
    """Paints snapshots as a layout says.

    Arguments:
        layout: What is shown.
        window: The rectangle of the plane, where the layout does not say.
        pace: How often what is slow, or has to be read, follows the fields.
        vector: Whether lines, dots and text stay such.
    """

    def __init__(self, layout: Layout, window: Window, pace: Pace = STILL, vector: bool = False) -> None:
        self.layout = layout
        self.page = page_of(layout, vector)
        self.shared = Shared(window=layout.window or window)
        self._end = 0.0
        self._places = self._arranged()
        self._bodies: list[PaneCell | ChartCell] = [
            ChartCell(cell) if cell.is_chart else PaneCell(cell, self.shared, pace, layout.axes)
            for cell in layout.cells
        ]

    @property
    def lens(self) -> Lens:
        """What the panes need; of a layout without any, next to nothing."""

        sights = [
            Sight(body.painter.kind, body.painter.overlays, body.projection(self._page(place)))
            for body, place in zip(self._bodies, self._places, strict=True)
            if isinstance(body, PaneCell)
        ]
        if not sights:
            return Lens(window=self.shared.window, resolution=16, fields=frozenset(), particles=0)
        return wanted(sights, self.page.ratio)

    def fix(self, last: Snapshot) -> None:
        """Fixes the axes of the charts at what they span at the end of a film, so that nothing but the curves moves."""

        self._end = float(last.step)
        for body, place in zip(self._bodies, self._places, strict=True):
            if isinstance(body, ChartCell):
                body.fix(last, self._page(place))

    def turn(self, degrees: float) -> None:
        """Turns the camera of surfaces."""

        self.shared.camera = self.shared.camera.turned(degrees, 0.0)

    def take(self, snapshot: Snapshot) -> None:
        """Takes in the next snapshot."""

        self.shared.take(snapshot)
        if any(cell.name == "samples" for cell in self.layout.cells):
            self.shared.histogram.count(snapshot)
        for body in self._bodies:
            body.take(snapshot, max(self._end, snapshot.step))

    def paint(self, painter: QPainter, snapshot: Snapshot) -> None:
        """Takes in a snapshot and paints it; the painter's unit is a pixel of the page."""

        self.take(snapshot)
        if self.page.vector:
            self._paint_ground(painter)
        else:
            painter.drawImage(0, 0, self._ground)
        self._inscribe(painter, snapshot)
        for body, place in zip(self._bodies, self._places, strict=True):
            with shifted(painter, place.x, place.y):
                body.paint(painter, self._page(place))

    def image(self, snapshot: Snapshot) -> QImage:
        """Returns a picture of a snapshot, in the size that the layout asks for."""

        image = self._blank()
        with drawing(image) as painter:
            self.paint(painter, snapshot)
        return image

    @cached_property
    def _ground(self) -> QImage:
        """What is the same in every picture, painted once."""

        image = self._blank()
        with drawing(image) as painter:
            self._paint_ground(painter)
        return image

    def _blank(self) -> QImage:
        image = QImage(*self.layout.size, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(self.page.ratio)
        return image

    def _paint_ground(self, painter: QPainter) -> None:
        painter.fillRect(self.page.rect, QColor(self.page.theme.palette.background))
        for place in self._places:
            with shifted(painter, place.x, place.y):
                draw_card(painter, self._page(place))

    def _inscribe(self, painter: QPainter, snapshot: Snapshot) -> None:
        y = self.page.theme.px(8)
        if self.layout.caption:
            draw_caption(painter, self.page, y, self.layout.caption)
            y += self.page.theme.px(28)
        if self.layout.formula:
            draw_formula(painter, self.page, y, snapshot.recipe)
        if self.layout.figures:
            draw_figures(painter, self.page, snapshot)

    def _arranged(self) -> list[Place]:
        look, page, layout = self.page.theme, self.page, self.layout
        gap, margin = look.px(8), look.px(12)
        top = margin + (look.px(24) if layout.caption else 0) + (formula_height(page) if layout.formula else 0)
        bottom = look.px(30) if layout.figures else margin
        room = Place(margin, top, page.width - 2 * margin, page.height - top - bottom)
        found = [place for column in places(layout.columns, room, gap, look.px(28) + 2) for place in column]
        if min(min(place.width, place.height) for place in found) < look.px(LEAST) + look.px(28):
            width, height = layout.size
            raise BadInput(f"{layout.text} finds no room in {width}x{height}; give a larger size", key="layout")
        return found

    def _page(self, place: Place) -> Page:
        return self.page._replace(width=place.width, height=place.height)


def page_of(layout: Layout, vector: bool = False) -> Page:
    """Returns the page of a layout: large pictures have more pixels to a line's width, and larger text."""

    width, height = layout.size
    scale = min(width / PLAIN[0], height / PLAIN[1])
    ratio = max(round(scale), 1)
    scale = layout.theme.scale * max(scale, LEAST_SCALE)
    if vector:
        return Page(width, height, replace(layout.theme, scale=scale), 2.0, vector=True)
    theme = replace(layout.theme, scale=scale / ratio)
    return Page(-(-width // ratio), -(-height // ratio), theme, ratio)
