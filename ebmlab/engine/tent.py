r"""Points drawn from values on an even lattice, as if joined by straight lines.

.. math:: f(x) \propto \sum_g p_g \prod_i \left(1 - \frac{|x_i - g_i|}{h_i}\right)_+

is the multilinear interpolant of the masses :math:`p_g` at the lattice's points g. A draw from it is a lattice point,
found by inversion of the cumulative sum, plus a tent-shaped jitter, which is the sum of two uniform ones. The jitter
adds :math:`h^2 / 6` to the variance along each axis.
"""

from __future__ import annotations

import torch
from torch import Tensor

from ebmlab.engine.types import Rng, rand


def cumulative(log_p: Tensor) -> Tensor:
    r"""Returns the cumulative sum of :math:`e^{\log p}`, normalised: shape :math:`(m)`, float64 if there is one.

    What is not a number counts for nothing. The result is NaN if nothing has mass.
    """

    precise = log_p if log_p.device.type == "mps" else log_p.double()
    return torch.where(precise < torch.inf, precise, -torch.inf).softmax(0).cumsum(0)


def draw(points: Tensor, sums: Tensor, spacing: Tensor, n: int, rng: Rng) -> Tensor:
    """Draws n points.

    Arguments:
        points: The lattice's points, with shape (m, d).
        sums: Their cumulative masses, with shape (m).
        spacing: The distance h between neighbours along each axis, with shape (d).
        n: How many.
        rng: What draws.
    """

    u = rand((n,), rng, sums) * sums[-1]
    cells = torch.searchsorted(sums, u, right=True).clamp(max=len(sums) - 1)
    jitter = rand((2, n, points.shape[-1]), rng, points).sum(0) - 1
    return points[cells] + spacing * jitter
