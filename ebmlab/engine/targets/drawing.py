from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.grid import RESOLUTION, GridDensity
from ebmlab.engine.targets.marks import Mark
from ebmlab.engine.types import Reader, Window
from ebmlab.engine.window import Lattice
from ebmlab.spec import BadInput, parts

EMPTY = 1e-6
"""Mass per unit of area below which the whole drawing counts as erased."""


@TARGETS.register("drawing")
@dataclass(frozen=True, kw_only=True)
class Drawing(Target):
    r"""What was drawn by hand.

    .. math:: p(x) = \frac{m(x)}{\int m}

    The marks act on the mass m in order, on a lattice of 256 by 256 over the window.
    """

    marks: tuple[Mark, ...] = parts("mark", (), "Strokes, sprays, stamps and erasers, in order.", bulk=True)

    def build(self, read: Reader, window: Window) -> Density:
        lattice = Lattice(window, RESOLUTION, RESOLUTION)
        return GridDensity(self.mass(lattice), lattice)

    def mass(self, lattice: Lattice) -> np.ndarray:
        """Returns the mass per unit of area at each node, with shape (rows, columns).

        Raises:
            BadInput: If nothing is left in the window.
        """

        if not self.marks:
            raise BadInput("the drawing is empty; draw something or choose another target", key="marks")
        if all(mark.erases for mark in self.marks):
            raise BadInput("the drawing holds erasers alone; draw something first", key="marks")
        mass = np.zeros((lattice.rows, lattice.columns))
        for mark in self.marks:
            mark.act(mass, lattice)
        if mass.max() < EMPTY:
            raise BadInput("the drawing leaves nothing in the window; draw something in it", key="marks")
        return mass
