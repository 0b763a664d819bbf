"""Quadrature with as many points along every axis: exact in few dimensions, out of reach in many."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LogZ
from ebmlab.engine.types import Energy
from ebmlab.spec import BadInput

_PIECE = 1 << 14


def tensor_quadrature(energy: Energy, dim: int, k: int, half: float, most: int) -> Iterator[LogZ]:
    r"""Yields :math:`\log \sum_g h^d \exp(-E(x_g))` over ever more of the :math:`k^d` points of a box about the origin.

    The error is how much is lost by taking every other point along each axis, and the mass beyond the box, if that
    goes on falling as it does between the two outermost layers of points.

    Arguments:
        energy: The energy.
        dim: The dimension d.
        k: Points along an axis, an even number.
        half: Half a side of the box.
        most: The most points that are worth the while.

    Raises:
        BadInput: If there would be more.
    """

    count = k**dim
    if count > most:
        raise BadInput(f"{k}^{dim} points are {count:.2g}, more than {most:.2g}; use fewer along each axis")
    spacing = 2 * half / k
    powers = k ** torch.arange(dim)
    fine, coarse, rim, inner = [-math.inf], [-math.inf], [-math.inf], [-math.inf]
    for first in range(0, count, _PIECE):
        index = torch.arange(first, min(first + _PIECE, count)).unsqueeze(-1) // powers % k
        with torch.no_grad():
            log_terms = -energy((index - k // 2).double() * spacing).double()
        fine.append(log_terms.logsumexp(0).item())
        coarse.append(_sum(log_terms, (index % 2 == 0).all(-1)))
        border = torch.minimum(index, k - 1 - index).amin(-1)
        rim.append(_sum(log_terms, border == 0))
        inner.append(_sum(log_terms, border == 1))
        done = first + len(index)
        if done < count:
            yield LogZ(math.nan, math.inf, done / count, done)
    sums = torch.tensor([fine, coarse, rim, inner], dtype=torch.float64).logsumexp(-1)
    yield LogZ(sums[0].item() + dim * math.log(spacing), _error(sums - sums[0], dim), 1.0, count)


def _error(logs: Tensor, dim: int) -> float:
    """Returns the error by the shares of every other point, of the outermost ones and of those just within."""

    _, coarse, rim, inner = logs.tolist()
    falls = min(math.exp(rim - inner), 0.95) if inner > -math.inf else 0.0
    return abs(coarse + dim * math.log(2)) + math.exp(rim) / (1 - falls)


def _sum(log_terms: Tensor, kept: Tensor) -> float:
    return log_terms[kept].logsumexp(0).item() if bool(kept.any()) else -math.inf
