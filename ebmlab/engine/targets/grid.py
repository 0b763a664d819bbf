"""Densities given by numbers on a lattice, and what it takes to make them."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from ebmlab.engine.targets.base import Chooser, Density, Held
from ebmlab.engine.types import Rng, Window
from ebmlab.engine.window import Lattice

RESOLUTION = 256
"""Rows and columns of the lattice on which points, pictures and drawings live."""


class GridDensity(Density):
    r"""Bilinear interpolation of masses on a lattice.

    .. math:: p(x) = \sum_g \frac{w_g}{h_1 h_2} \, \Lambda\!\left(\frac{x_1 - g_1}{h_1}\right)
        \Lambda\!\left(\frac{x_2 - g_2}{h_2}\right), \qquad \Lambda(u) = \max(0, 1 - |u|)

    It is a mixture of tents, hence exactly normalised, and a sample is a node drawn by its mass plus, on each axis, the
    difference of two uniform numbers times the spacing: exact for this density. Beyond the outermost tents
    :math:`\log p = -\infty`, with gradient 0.

    Arguments:
        mass: The mass of each node, of any positive sum, with shape (rows, columns), the first row at the bottom.
        lattice: The nodes.
    """

    def __init__(self, mass: np.ndarray, lattice: Lattice) -> None:
        left, right, bottom, top = lattice.window
        w = torch.as_tensor(np.array(mass, dtype=np.float64))
        spacing = torch.tensor([(right - left) / lattice.columns, (top - bottom) / lattice.rows], dtype=torch.float64)
        corner = torch.tensor([left, bottom], dtype=torch.float64) + spacing / 2
        height = torch.nn.functional.pad(w / w.sum() / spacing.prod(), (1, 1, 1, 1))
        self.lattice = lattice
        self._terms = Held(height.flatten(), corner, spacing)
        self._node = Chooser(w.flatten())

    def density(self, x: Tensor) -> Tensor:
        r"""Returns :math:`p(x)`, with shape :math:`(*)`, in the dtype and on the device of x."""

        height, corner, spacing = self._terms.like(x)
        u, v = ((x - corner) / spacing).unbind(-1)
        i, a = _cell(u, self.lattice.columns)
        j, b = _cell(v, self.lattice.rows)
        width = self.lattice.columns + 2
        k = (j + 1) * width + i + 1
        below = torch.lerp(height[k], height[k + 1], a)
        above = torch.lerp(height[k + width], height[k + width + 1], a)
        return torch.lerp(below, above, b)

    def log_density(self, x: Tensor) -> Tensor:
        p = self.density(x)
        empty = p <= 0
        return p.masked_fill(empty, 1.0).log().masked_fill(empty, -math.inf)

    def sample(self, n: int, rng: Rng) -> Tensor:
        _, corner, spacing = self._terms.on(rng.device, torch.float32)
        k = self._node.draw(n, rng)
        u = torch.rand(2, n, 2, generator=rng, device=rng.device)
        index = torch.stack([k % self.lattice.columns, k // self.lattice.columns], -1)
        return corner + (index + (u[0] - u[1])) * spacing


def axes(lattice: Lattice) -> tuple[np.ndarray, np.ndarray]:
    """Returns the coordinates of the columns and of the rows."""

    left, right, bottom, top = lattice.window
    x = left + (right - left) * (np.arange(lattice.columns) + 0.5) / lattice.columns
    y = bottom + (top - bottom) * (np.arange(lattice.rows) + 0.5) / lattice.rows
    return x, y


def deposit(points: np.ndarray, lattice: Lattice) -> np.ndarray:
    """Shares a unit mass of each point between the four nodes about it; a point outside the window counts nothing.

    Arguments:
        points: The points, with shape (n, 2).
        lattice: The nodes.

    Returns:
        The mass of each node, with shape (rows, columns).
    """

    left, right, bottom, top = lattice.window
    x, y = points[inside(points, lattice.window)].T
    i, a = _shares((x - left) / (right - left), lattice.columns)
    j, b = _shares((y - bottom) / (top - bottom), lattice.rows)
    node = j * lattice.columns + i
    mass = np.zeros(lattice.rows * lattice.columns)
    up = lattice.columns
    for step, share in ((0, (1 - a) * (1 - b)), (1, a * (1 - b)), (up, (1 - a) * b), (up + 1, a * b)):
        mass += np.bincount(node + step, share, len(mass))
    return mass.reshape(lattice.rows, lattice.columns)


def inside(points: np.ndarray, window: Window) -> np.ndarray:
    """Returns which points lie in the window."""

    left, right, bottom, top = window
    x, y = points.T
    return (left <= x) & (x <= right) & (bottom <= y) & (y <= top)


def blur(mass: np.ndarray, lattice: Lattice, spread: float) -> np.ndarray:
    """Convolves masses with a normal distribution; what would leave the window stays in it.

    Arguments:
        mass: The mass of each node, with shape (rows, columns).
        lattice: The nodes.
        spread: The standard deviation; far below the spacing it changes nothing.
    """

    across, along = (_kernel(axis, spread) for axis in axes(lattice))
    return along @ mass @ across.T


def _cell(u: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Returns the node below and the share of the next one; beyond the lattice both heights are 0."""

    i = u.detach().floor().long().clamp(-1, count - 1)
    return i, (u - i).clamp(0, 1)


def _shares(u: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Returns the node below and the share of the next one, for positions from 0 to 1 across the window."""

    u = np.clip(u * count - 0.5, 0, count - 1)
    i = np.minimum(u.astype(np.int64), count - 2)
    return i, u - i


def _kernel(axis: np.ndarray, spread: float) -> np.ndarray:
    weights = np.exp(-(((axis[:, None] - axis) / max(spread, 1e-9)) ** 2) / 2)
    return weights / weights.sum(0)
