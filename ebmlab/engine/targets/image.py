from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.grid import RESOLUTION, GridDensity, blur
from ebmlab.engine.types import Reader, Window
from ebmlab.engine.window import Lattice
from ebmlab.spec import BadInput, knob

UNIFORM = 0.02
"""Pictures whose brightness varies less than this are taken for blank."""


@TARGETS.register("image")
@dataclass(frozen=True, kw_only=True)
class Image(Target):
    r"""A picture, its ink taken for mass.

    .. math:: p(x) \propto \max\!\left(0, \frac{\iota(x) - t}{1 - t}\right)^{\gamma}, \qquad
        \iota = 1 - \text{brightness (dark ink)} \;\; \text{or} \;\; \text{brightness (light ink)}

    The picture is stretched to the full range of brightness and fitted into the middle of the window, its pixels
    square, each pixel's mass shared exactly between the cells of a 256 by 256 lattice that it covers, then blurred.
    Automatic ink is dark where the picture's border is light, and light where it is dark.
    """

    path: str = knob("", "Picture file: PNG, JPEG and others.", path=True)
    ink: str = knob("auto", "Which pixels hold the mass.", choices=("auto", "dark", "light"))
    threshold: float = knob(0.1, "Ink t below which a pixel counts as empty.", low=0.0, high=0.99, symbol="t")
    gamma: float = knob(
        1.0, "Contrast γ: above 1, strong ink counts for more.", low=0.1, high=10.0, scale="log", symbol="γ"
    )
    size: float = knob(0.8, "Share of the window that the picture fills.", low=0.05, high=1.0)
    smoothing: float = knob(0.05, "Standard deviation of the blur.", low=0.0, high=100.0, soft=(0.0, 1.0))

    def build(self, read: Reader, window: Window) -> Density:
        if not self.path:
            raise BadInput("there is no picture; give the path of one", key="path")
        lattice = Lattice(window, RESOLUTION, RESOLUTION)
        mass = fit(self.weigh(read.image(self.path)), lattice, self.size)
        return GridDensity(blur(mass, lattice, self.smoothing), lattice)

    def weigh(self, brightness: np.ndarray) -> np.ndarray:
        """Returns the mass of each pixel, from its brightness.

        Raises:
            BadInput: If the picture is blank.
        """

        low, high = float(brightness.min()), float(brightness.max())
        if high - low < UNIFORM:
            shade = "black" if high < 0.5 else "white" if low > 0.9 else "of one shade"
            raise BadInput(f"the picture is all {shade}; give one whose shapes differ from its ground", key="path")
        light = (brightness.astype(np.float64) - low) / (high - low)
        dark_ink = self.ink == "dark" or (self.ink == "auto" and _border(light) > 0.5)
        ink = 1 - light if dark_ink else light
        return (np.clip(ink - self.threshold, 0, None) / (1 - self.threshold)) ** self.gamma


def fit(pixels: np.ndarray, lattice: Lattice, size: float) -> np.ndarray:
    """Spreads the mass of pixels over a lattice, the picture centred and its pixels square.

    Arguments:
        pixels: The mass of each, with shape (height, width), the first row on top.
        lattice: The nodes.
        size: The share of the window that the picture fills, along the tighter side.
    """

    left, right, bottom, top = lattice.window
    height, width = pixels.shape
    side = size * min((right - left) / width, (top - bottom) / height)
    across = _overlap(width, side, lattice.columns, (right - left) / lattice.columns)
    along = _overlap(height, side, lattice.rows, (top - bottom) / lattice.rows)
    return along @ pixels[::-1] @ across.T


def _overlap(pixels: int, side: float, cells: int, spacing: float) -> np.ndarray:
    """Returns the length that each cell shares with each pixel, both centred about 0, with shape (cells, pixels)."""

    edges = (np.arange(cells + 1) - cells / 2) * spacing
    marks = (np.arange(pixels + 1) - pixels / 2) * side
    shared = np.minimum(edges[1:, None], marks[1:]) - np.maximum(edges[:-1, None], marks[:-1])
    return np.clip(shared, 0, None)


def _border(light: np.ndarray) -> float:
    return float(np.concatenate([light[0], light[-1], light[:, 0], light[:, -1]]).mean())
