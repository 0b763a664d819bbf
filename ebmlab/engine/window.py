"""The window and its lattice: a rectangle of the plane and evenly spaced points in it."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.types import Rng, Window, rand


class Lattice(NamedTuple):
    """Cell centres of a window, in rows from bottom to top: the first axis is y, the second x."""

    window: Window
    rows: int
    columns: int

    @property
    def cell(self) -> float:
        """The area of a cell."""

        left, right, bottom, top = self.window
        return (right - left) / self.columns * (top - bottom) / self.rows

    def points(self, dtype: torch.dtype = torch.float32, device: torch.device | str = "cpu") -> Tensor:
        """Returns the points, with shape (rows * columns, 2)."""

        left, right, bottom, top = self.window
        x = left + (right - left) * (torch.arange(self.columns, dtype=torch.float64) + 0.5) / self.columns
        y = bottom + (top - bottom) * (torch.arange(self.rows, dtype=torch.float64) + 0.5) / self.rows
        return torch.cartesian_prod(y, x).flip(-1).to(device, dtype)


def widen(window: Window, factor: float) -> Window:
    """Returns the window scaled about its centre."""

    left, right, bottom, top = window
    x, y, w, h = (
        (left + right) / 2,
        (bottom + top) / 2,
        (right - left) / 2 * factor,
        (top - bottom) / 2 * factor,
    )
    return x - w, x + w, y - h, y + h


def uniform(window: Window, n: int, rng: Rng, like: Tensor, dim: int = 2) -> Tensor:
    """Draws n points uniformly in the window, with shape (n, d); beyond the plane its sides repeat in turn."""

    left, right, bottom, top = window
    corner, side = (like.new_tensor((pair * dim)[:dim]) for pair in ([left, bottom], [right - left, top - bottom]))
    return corner + side * rand((n, dim), rng, like)
