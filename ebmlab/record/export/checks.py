"""How far a written energy is from torch's own."""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Iterator, Sequence

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
    wanted = [exact(net, x) for x in batches]
    error = max(_difference(found(x), values) for x, values in zip(batches, wanted, strict=True))
    return Check(by, sum(map(len, batches)), error, _rounding(net, batches[0], wanted[0]))


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


def _rounding(net: EnergyNet, x: Tensor, wanted: Values) -> float:
    """Returns the largest difference of torch in float32 from torch in float64, there and two roundings aside."""

    precise = copy.deepcopy(net).double()
    step = 2 * torch.finfo(x.dtype).eps * x.abs().max().double()
    aside = step * torch.tensor([(0.0, 0.0), (1.0, 0.0), (-1.0, 0.0), (0.0, 1.0), (0.0, -1.0)], dtype=torch.float64)
    moved = (exact(precise, x.double() + shift) for shift in aside)
    gaps = (_gaps(values, tuple(v.double() for v in wanted)) for values in moved)
    return max(gap[gap.isfinite()].max().item() for pair in gaps for gap in pair if gap.isfinite().any())


def _difference(found: Values, wanted: Values) -> float:
    """Returns the largest difference; where torch has no finite number, the same is wanted."""

    if any(a.shape != b.shape for a, b in zip(found, wanted)):
        return math.inf
    return max(gap.nan_to_num(math.inf).max().item() for gap in _gaps(found, wanted))


def _gaps(found: Values, wanted: Values) -> Iterator[Tensor]:
    """Yields the differences of energies and scores, relative to what is wanted, or to 1 if that is larger."""

    for a, b in zip(found, wanted):
        gap = torch.where((a == b) | (a.isnan() & b.isnan()), 0.0, a - b)
        size, gap = (v.abs() if v.ndim == 1 else v.norm(dim=1) for v in (b, gap))
        yield gap / size.clamp(min=1.0)
