r"""An orthographic camera that looks at a surface over the plane.

Azimuth :math:`a` turns the plane about its centre, elevation :math:`e` is how far above it the camera stands: 90° looks
straight down, as the flat panes do. A point :math:`(x, y)` at height :math:`h` appears at

.. math::

    u = x \cos a + y \sin a, \qquad v = (y \cos a - x \sin a) \sin e + h \cos e

to the right and upwards, and :math:`w = y \cos a - x \sin a` is how far behind the centre it lies.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

LOWEST, HIGHEST = 15.0, 90.0


class Camera(NamedTuple):
    """Where a surface is looked at from."""

    azimuth: float = 30.0  # degrees
    elevation: float = 55.0  # degrees
    zoom: float = 1.0

    def turned(self, azimuth: float, elevation: float) -> Camera:
        """Returns the camera turned by so many degrees; it never stands on its head nor below the plane."""

        up = min(max(self.elevation + elevation, LOWEST), HIGHEST)
        return self._replace(azimuth=(self.azimuth + azimuth) % 360.0, elevation=up)

    def zoomed(self, factor: float) -> Camera:
        """Returns the camera with everything so much larger, within bounds."""

        return self._replace(zoom=min(max(self.zoom * factor, 0.4), 8.0))

    @property
    def turn(self) -> np.ndarray:
        """The matrix from plane to (right, away), with shape (2, 2)."""

        a = math.radians(self.azimuth)
        return np.array([[math.cos(a), math.sin(a)], [-math.sin(a), math.cos(a)]])

    @property
    def tilt(self) -> tuple[float, float]:
        """How far a unit away and a unit of height go up on the screen."""

        e = math.radians(self.elevation)
        return math.sin(e), math.cos(e)
