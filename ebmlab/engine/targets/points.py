from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.grid import RESOLUTION, GridDensity, blur, deposit, inside
from ebmlab.engine.types import Reader, Window
from ebmlab.engine.window import Lattice
from ebmlab.spec import BadInput, knob


@TARGETS.register("points")
@dataclass(frozen=True, kw_only=True)
class Points(Target):
    r"""Smoothed points, from a file or pasted.

    .. math:: p(x) = \frac{1}{n} \sum_{i=1}^{n} \mathcal{N}(x; x_i, h^2 I), \qquad
        h = n^{-1/6} \sqrt{\tfrac{1}{2} \operatorname{tr} \hat\Sigma} \;\; \text{unless given}

    The sum is computed on a lattice of 256 by 256 over the window: what is smaller than its spacing is lost. Points
    outside the window are left out; what the smoothing would carry beyond its edge stays within. The automatic
    bandwidth is Scott's rule, which is made for a single hump: with several modes a smaller one shows more.

    References:
        | Multivariate Density Estimation: Theory, Practice, and Visualization (Scott, 1992)
        | https://doi.org/10.1002/9780470316849
    """

    path: str = knob("", "File of points: CSV, TSV, NPY or NPZ.", path=True)
    values: tuple[tuple[float, ...], ...] = knob(
        (), "Points pasted in, besides those of the file.", shape=(-1, 2), bulk=True
    )
    bandwidth: float = knob(
        0.0,
        "Standard deviation h that each point is smoothed by; 0 for Scott's rule.",
        low=0.0,
        high=1000.0,
        soft=(0.0, 1.0),
        symbol="h",
    )

    def build(self, read: Reader, window: Window) -> Density:
        lattice = Lattice(window, RESOLUTION, RESOLUTION)
        points = within(self.gather(read), window)
        return GridDensity(blur(deposit(points, lattice), lattice, self.bandwidth or scott(points)), lattice)

    def gather(self, read: Reader) -> np.ndarray:
        """Returns the points of the file and the pasted ones, with shape (n, 2).

        Raises:
            BadInput: If there are none.
        """

        pasted = np.array(self.values, dtype=np.float64).reshape(-1, 2)
        points = np.concatenate([read.points(self.path), pasted]) if self.path else pasted
        if not len(points):
            raise BadInput("there are no points; give a file with rows of two numbers, or paste some", key="path")
        return points


def within(points: np.ndarray, window: Window) -> np.ndarray:
    """Returns the points that lie in the window.

    Raises:
        BadInput: If none does. The message names a window that would hold them.
    """

    kept = points[inside(points, window)]
    if not len(kept):
        (left, bottom), (right, top) = np.floor(points.min(0)), np.ceil(points.max(0))
        wider = ", ".join(f"{edge:g}" for edge in (left - 1, right + 1, bottom - 1, top + 1))
        raise BadInput(f"all {len(points)} points lie outside the window; set the window to [{wider}]", key="path")
    return kept


def scott(points: np.ndarray) -> float:
    """Returns the bandwidth of Scott's rule for points in the plane, from their mean variance.

    Raises:
        BadInput: If the points do not differ.
    """

    spread = float(np.sqrt(points.var(0, ddof=1).mean())) if len(points) > 1 else 0.0
    if spread <= 1e-9 * max(1.0, float(np.abs(points).max())):
        raise BadInput("all points are the same; give different ones or set a bandwidth above 0", key="bandwidth")
    return spread * len(points) ** (-1 / 6)
