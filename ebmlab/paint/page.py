from __future__ import annotations

from typing import NamedTuple

from PySide6.QtCore import QRectF

from ebmlab.paint.look import Theme


class Page(NamedTuple):
    """A rectangle to paint on, its upper left corner at the painter's origin, with all that the look depends on."""

    width: int  # pixels
    height: int
    theme: Theme = Theme()
    ratio: float = 1.0  # pixels of the screen per pixel; of an embedded picture, where the rest is vectors
    vector: bool = False  # whether lines, dots and text stay such, as in a file for print

    @property
    def rect(self) -> QRectF:
        """The rectangle itself."""

        return QRectF(0, 0, self.width, self.height)
