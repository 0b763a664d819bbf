"""What fills the places of a layout: a pane or a chart, with its title."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QImage, QPainter

from ebmlab.paint.axes import draw_axes
from ebmlab.paint.backdrop import Pace
from ebmlab.paint.card import round_off
from ebmlab.paint.chart import ChartPainter
from ebmlab.paint.charts import CHARTS
from ebmlab.paint.curves import Curve
from ebmlab.paint.heading import draw_heading
from ebmlab.paint.layout import Cell
from ebmlab.paint.page import Page
from ebmlab.paint.places import Place
from ebmlab.paint.plane import PlanePainter, Shared
from ebmlab.paint.projection import Projection
from ebmlab.paint.shapes import drawing, shifted
from ebmlab.paint.shows import SHOWS, number
from ebmlab.paint.ticks import Tick, ticks
from ebmlab.paint.words import translate
from ebmlab.session.snapshot import Snapshot

HEAD = 28
"""Pixels of a pane's title."""


class PaneCell:
    """A picture of the plane under a line that says what it is.

    Arguments:
        cell: What it shows.
        shared: What it has in common with its neighbours.
        pace: How often what is slow, or has to be read, follows the field.
        axes: Whether it has axes with numbers.
    """

    def __init__(self, cell: Cell, shared: Shared, pace: Pace, axes: bool) -> None:
        self.painter = PlanePainter(shared, pace)
        self.painter.show_kind(cell.name)
        self.painter.overlays = cell.overlays
        self._axes = axes and cell.name != "surface"  # which has no plane to count along
        self._figure = ""

    def take(self, snapshot: Snapshot, end: float) -> None:
        """Takes in the next snapshot."""

        kl = snapshot.figures.kl if snapshot.figures is not None and self.painter.kind == "difference" else None
        self._figure = "" if kl is None else translate("Canvas", "KL {}").format(number(kl))

    def projection(self, page: Page) -> Projection:
        """Returns how the plane lies on the picture."""

        place = self._body(page)
        return self.painter.projection(place.width, place.height)

    def paint(self, painter: QPainter, page: Page) -> None:
        """Paints it, with the frame around it already there."""

        look, place, show = page.theme, self._body(page), SHOWS[self.painter.kind]
        head = QRectF(11, 1, page.width - 22, look.px(HEAD))
        subtitle = translate("Canvas", show.subtitle)
        beside = f"{subtitle} · {self._figure}" if self._figure else subtitle
        draw_heading(painter, head, translate("Canvas", show.title), beside, look)
        body = page._replace(width=place.width, height=place.height)
        with shifted(painter, place.x, place.y):
            self.painter.paint(painter, body)
            if not self._axes and not page.vector:
                round_off(painter, body, look.palette.line)
        if self._axes:
            _draw_axes(painter, place, self.projection(page), page)

    def _body(self, page: Page) -> Place:
        px = page.theme.px
        left, right, bottom = (px(46), px(12), px(22)) if self._axes else (1, 1, 1)
        top = 1 + px(HEAD)
        return Place(left, top, page.width - left - right, page.height - top - bottom)


class ChartCell:
    """A chart of a run.

    Arguments:
        cell: Which.
    """

    def __init__(self, cell: Cell) -> None:
        self._make = CHARTS[cell.name]
        self.painter = ChartPainter(self._make())
        self._image = QImage()
        self._image_of: tuple[object, ...] = ()

    def take(self, snapshot: Snapshot, end: float) -> None:
        """Takes in the next snapshot; an axis of steps ends at the one given."""

        self.painter.read(snapshot, end)

    def fix(self, last: Snapshot, page: Page) -> None:
        """Fixes the axes at what they span at the end of a film; another source reads it, for this one remembers."""

        ahead = ChartPainter(self._make())
        ahead.plot.page = page
        ahead.read(last, last.step)
        ahead.arrange()
        if ahead.some and not ahead.source.across:
            self.painter.plot.x, self.painter.plot.y = ahead.plot.x, ahead.plot.y
            self.painter.following = False

    def paint(self, painter: QPainter, page: Page) -> None:
        """Paints it, with the frame around it already there."""

        inner = page._replace(width=page.width - 2, height=page.height - 2)
        with shifted(painter, 1, 1):
            if page.vector:
                self.painter.paint(painter, inner)
            else:
                painter.drawImage(0, 0, self._painted(inner))

    def _painted(self, page: Page) -> QImage:
        """Returns the chart as an image, painted anew only when a curve has grown: mostly none has."""

        reading = self.painter.reading
        ends = self.painter.end if self.painter.following else 0.0
        made_of = (page, ends, reading.note, *((c.key, c.label, len(c.x), *_last(c)) for c in reading.curves))
        if made_of != self._image_of:
            self._image_of = made_of
            self._image = QImage(QSize(page.width, page.height) * page.ratio, QImage.Format.Format_ARGB32_Premultiplied)
            self._image.setDevicePixelRatio(page.ratio)
            self._image.fill(Qt.GlobalColor.transparent)
            with drawing(self._image) as painter:
                self.painter.paint(painter, page)
        return self._image


def _last(curve: Curve) -> tuple[str, ...]:
    """Returns the ends of a curve, as text, in which what is no number equals itself."""

    return tuple(str(values[-1]) for values in (curve.x, curve.y, curve.error) if values is not None and len(values))


def _draw_axes(painter: QPainter, place: Place, projection: Projection, page: Page) -> None:
    """Draws axes with numbers to the left of a picture and below it."""

    left, right, bottom, top = projection.window
    px, area = page.theme.px, QRectF(place.x, place.y, place.width, place.height)
    across = ticks(left, right, max(place.width // px(72), 2))
    up = ticks(bottom, top, max(place.height // px(40), 2))
    at = (
        tuple(Tick(place.x + (t.at - left) * projection.scale, t.text) for t in across),
        tuple(Tick(place.y + (top - t.at) * projection.scale, t.text) for t in up),
    )
    if all(math.isfinite(t.at) for axis in at for t in axis):
        draw_axes(painter, area, at, page.theme, grid=False)
