"""The tools that draw a target: what a hand does becomes marks."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen

from ebmlab.engine.targets.marks import Brush, Eraser, Mark, Spray
from ebmlab.gui.theme import Palette
from ebmlab.paint.projection import Point, Projection
from ebmlab.paint.shapes import faded, path, pen

Marks = tuple[Mark, ...]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the next stroke is made with."""

    radius: float = 0.3
    strength: float = 1.0


class Tool(ABC):
    """Abstract tool. Points are of the plane; a unit is the length in the plane of one pixel.

    Attributes:
        settings: What the next stroke is made with.
        seed: The seed of the next spray.
    """

    settings = Settings()
    seed = 0

    @abstractmethod
    def press(self, at: Point, marks: Marks, unit: float) -> None:
        """Puts the pen down on a drawing."""

    @abstractmethod
    def drag(self, at: Point) -> None:
        """Moves the pen."""

    @abstractmethod
    def marks(self) -> Marks:
        """Returns the drawing with what the pen has done so far."""

    def linger(self) -> bool:
        """Holds the pen still for a moment; returns whether that left anything."""

        return False

    @abstractmethod
    def choose(self, marks: Marks) -> None:
        """Takes note of the drawing while the pen is up."""

    @abstractmethod
    def sketch(self, painter: QPainter, projection: Projection, hover: Point | None, palette: Palette) -> None:
        """Paints what the tool is about, at once, before the session has heard of it."""

    @abstractmethod
    def settled(self) -> None:
        """Takes note that the session shows the last stroke."""


Maker = Callable[[tuple[Point, ...], Settings, int], Mark]


class Pen(Tool):
    """A tool that leaves a path.

    Arguments:
        make: What turns a path, the settings and a seed into a mark.
        straight: Whether only the ends of the path count.
        erases: Whether it takes mass away.
        airy: Whether holding it still adds to the path, as paint keeps coming from a can.
    """

    def __init__(self, make: Maker, *, straight: bool = False, erases: bool = False, airy: bool = False) -> None:
        self._make, self._straight, self.erases, self._airy = make, straight, erases, airy
        self._base: Marks = ()
        self._path: list[Point] = []
        self._gap = 0.0

    def press(self, at: Point, marks: Marks, unit: float) -> None:
        self._base, self._path = marks, [at]
        self._gap = max(2 * unit, self.settings.radius / 8)

    def drag(self, at: Point) -> None:
        if self._straight:
            self._path[1:] = [at]
        elif math.dist(at, self._path[-1]) >= self._gap:
            self._path.append(at)

    def linger(self) -> bool:
        if self._airy:
            self._path.append(self._path[-1])
        return self._airy

    def marks(self) -> Marks:
        return (*self._base, self._make(tuple(self._path), self.settings, self.seed))

    def choose(self, marks: Marks) -> None:
        self._base = marks

    def settled(self) -> None:
        self._path = []

    def sketch(self, painter: QPainter, projection: Projection, hover: Point | None, palette: Palette) -> None:
        colour = palette.ink if self.erases else palette.blue
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._path:
            width = 2 * self.settings.radius * projection.scale
            brush = QPen(faded(colour, 0.18 if self.erases else 0.3), width)
            brush.setCapStyle(Qt.PenCapStyle.RoundCap)
            brush.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
            painter.setPen(brush)
            line = self._path if len(self._path) > 1 else self._path * 2
            painter.drawPath(path([projection.pixels(np.array(line))]))
        if hover is not None:
            radius = self.settings.radius * projection.scale
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(pen(QColor(colour), 1.0))
            painter.drawEllipse(projection.pixel(hover), radius, radius)


def brush() -> Tool:
    """Returns the tool for a soft stroke."""

    return Pen(_stroke)


def line() -> Tool:
    """Returns the tool for a straight stroke."""

    return Pen(_stroke, straight=True)


def spray() -> Tool:
    """Returns the tool for dots scattered about a path."""

    return Pen(lambda p, s, seed: Spray(path=p, radius=s.radius, strength=s.strength, seed=seed), airy=True)


def eraser() -> Tool:
    """Returns the tool that takes mass away."""

    return Pen(lambda p, s, seed: Eraser(path=p, radius=s.radius), erases=True)


def _stroke(points: tuple[Point, ...], settings: Settings, seed: int) -> Mark:
    return Brush(path=points, radius=settings.radius, strength=settings.strength)
