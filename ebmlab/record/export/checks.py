"""How far a written energy is from torch's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.energies import EnergyNet
from ebmlab.engine.types import Window
from ebmlab.engine.window import Lattice, widen
from ebmlab.record.export.base import Check

Values = tuple[Tensor, ...]
"""Energies, with shape (n), and where they are given scores, with shape (n, 2)."""


def check(by: str, net: EnergyNet, window: Window, found: Callable[[Tensor], Values]) -> Check:
    """Compares what a file says with torch: in the window, at its border and beyond, at many points and at one.

    Arguments:
        by: What reads the file.
        net: The energy.
        window: The rectangle of the plane.
        found: Returns the file's energies, or energies and scores, at points with shape (n, 2).
    """

    batches = points(window)
    error = max(_difference(found(x), exact(net, x)) for x in batches)
    return Check(by, sum(map(len, batches)), error)


def points(window: Window) -> Sequence[Tensor]:
    """Returns batches of points, each with shape (n, 2)."""

    many = torch.cat([Lattice(window, 48, 48).points(), _rim(window), _rim(widen(window, 1.5))])
    return many, many[1000:1001], many[2000:2002]


def exact(net: EnergyNet, x: Tensor) -> Values:
    """Returns torch's energies and scores, by automatic differentiation."""

    value, grad = value_and_grad(lambda x: net(x), x)
    return value, -grad


def _rim(window: Window, n: int = 128) -> Tensor:
    """Returns points on the four sides of a rectangle, corners included, with shape (4 n, 2)."""

    left, right, bottom, top = window
    x, y = torch.linspace(left, right, n), torch.linspace(bottom, top, n)
    sides = [(x, torch.full_like(x, side)) for side in (bottom, top)]
    sides += [(torch.full_like(y, side), y) for side in (left, right)]
    return torch.cat([torch.stack(side, -1) for side in sides])


def _difference(found: Values, wanted: Values) -> float:
    """Returns the largest difference, relative to what is wanted, or to 1 if that is larger.

    A score is a vector, and so is its difference. Where torch itself has no finite number, the same is wanted. A wrong
    shape is infinitely far off.
    """

    worst = 0.0
    for a, b in zip(found, wanted):
        if a.shape != b.shape:
            return math.inf
        gaps = torch.where((a == b) | (a.isnan() & b.isnan()), 0.0, a - b)
        sizes = b.abs() if b.ndim == 1 else b.norm(dim=1, keepdim=True)
        relative = gaps / sizes.clamp(min=1.0)
        worst = max(worst, (relative if b.ndim == 1 else relative.norm(dim=1)).abs().nan_to_num(math.inf).max().item())
    return worst
