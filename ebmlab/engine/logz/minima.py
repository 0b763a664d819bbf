r"""The minima of an energy: many descents at once, then Newton's method with the whole Hessian, all of it in float64.

A descent is quasi-Newton (BFGS), each with its own estimate B of the inverse Hessian:

.. math:: x' = x - t \, B \, \nabla E(x), \qquad
    B' = (I - \rho \, s y^\top) \, B \, (I - \rho \, y s^\top) + \rho \, s s^\top, \qquad \rho = \frac{1}{s^\top y}

with :math:`s = x' - x` and :math:`y = \nabla E(x') - \nabla E(x)`.

References:
    | Numerical Optimization (Nocedal & Wright, 2006)
    | https://doi.org/10.1007/978-0-387-40065-5
"""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ebmlab.engine.calculus import jet, value_and_grad
from ebmlab.engine.types import Energy, chunks

FLAT = 1e-9
"""Curvature, as a share of the largest, below which a minimum counts as flat along a direction."""

SAME = 0.1
"""Distance, in standard deviations of the normal law at a minimum, within which descents have ended in the same."""

_STEEP = 0.01
"""Distance from the bottom of the parabola, in standard deviations, beyond which a minimum is none but a kink."""

_ARMIJO, _SHORTER, _SHORTEST, _STILL, _NOTHING = 1e-4, 0.3, 1e-10, 1e-7, 1e-24


class Descents(NamedTuple):
    """Descents under way."""

    x: Tensor  # (n, d)
    value: Tensor  # (n,)
    grad: Tensor  # (n, d)
    inverse: Tensor  # (n, d, d), the estimate of the inverse Hessian
    stride: Tensor  # (n,), the share t of the full step

    @property
    def settled(self) -> bool:
        """Whether none of them gets any lower."""

        still = self.grad.norm(dim=-1) <= _STILL * (1 + self.value.abs())
        return bool((still | (self.stride < _SHORTEST) | ~self.value.isfinite()).all())


class Minimum(NamedTuple):
    """What a descent has come to."""

    x: Tensor  # (d,)
    value: float
    steepness: float  # the norm of the gradient
    curvatures: Tensor  # (d,), the Hessian's eigenvalues in ascending order
    reached: int  # descents that ended here
    evaluations: int

    @property
    def flat(self) -> bool:
        """Whether the energy neither rises nor falls along some direction."""

        return bool(self.curvatures.abs().min() <= FLAT * self.curvatures.abs().max())

    @property
    def proper(self) -> bool:
        """Whether it is a minimum with a parabola: no saddle, no kink, and not flat."""

        low = self.curvatures[0].item()
        return not self.flat and low > 0 and self.steepness < _STEEP * math.sqrt(low)

    def log_mass(self) -> float:
        r"""Returns :math:`-E + \frac{d}{2} \log 2\pi - \frac{1}{2} \log |H|`, of the normal law there."""

        d = len(self.x)
        return d / 2 * math.log(2 * math.pi) - self.value - self.curvatures.log().sum().item() / 2


@dataclass(frozen=True, slots=True)
class Cast:
    """An energy that is asked in float64 on the CPU and computes where and in what it likes."""

    energy: Energy
    like: Tensor

    def __call__(self, x: Tensor) -> Tensor:
        return self.energy(x.to(self.like)).to(x)


def precise(energy: Energy, like: Tensor) -> Energy:
    """Returns the energy in float64 on the CPU: a network as a copy, any other through a cast."""

    if isinstance(energy, nn.Module):
        return copy.deepcopy(energy).to("cpu", torch.float64)
    return energy if like.dtype == torch.float64 and like.device.type == "cpu" else Cast(energy, like)


def descend(energy: Energy, x: Tensor, steps: int, reach: float) -> Iterator[Descents]:
    """Yields descents from points, with shape (n, d), after each step until all have settled.

    Arguments:
        energy: The energy, in float64 on the CPU.
        x: Where they start.
        steps: The most steps.
        reach: The longest step.
    """

    n, d = x.shape
    here = Descents(x, *value_and_grad(energy, x), torch.eye(d, dtype=x.dtype).expand(n, d, d), x.new_ones(n))
    yield here
    for _ in range(steps):
        if here.settled:
            break
        here = _step(energy, here, reach)
        yield here


def _step(energy: Energy, here: Descents, reach: float) -> Descents:
    way = -(here.inverse @ here.grad.unsqueeze(-1)).squeeze(-1)
    uphill = ~((way * here.grad).sum(-1) < 0)
    way = torch.where(uphill.unsqueeze(-1), -here.grad, way)
    step = here.stride.unsqueeze(-1) * way
    step = step * (reach / step.norm(dim=-1, keepdim=True).clamp(min=reach))

    x = here.x + step
    value, grad = value_and_grad(energy, x)
    lower = value <= here.value + _ARMIJO * (step * here.grad).sum(-1)
    lower &= grad.isfinite().all(-1)
    column = lower.unsqueeze(-1)
    return Descents(
        torch.where(column, x, here.x),
        torch.where(lower, value, here.value),
        torch.where(column, grad, here.grad),
        _learn(here.inverse, uphill, torch.where(column, step, 0.0), torch.where(column, grad - here.grad, 0.0)),
        torch.where(lower, 1.0, _SHORTER * here.stride),
    )


def _learn(inverse: Tensor, uphill: Tensor, s: Tensor, y: Tensor) -> Tensor:
    """Returns the new estimates of the inverse Hessian; where there was no step or no curvature, the old."""

    eye = torch.eye(s.shape[-1], dtype=s.dtype)
    bend, square = (s * y).sum(-1), (y * y).sum(-1)
    curved = bend > 1e-12 * s.norm(dim=-1) * y.norm(dim=-1)
    fresh = uphill | (inverse == eye).all(-1).all(-1)
    inverse = torch.where(uphill[:, None, None], eye, inverse)
    inverse = torch.where(fresh & curved, bend / square, 1.0)[:, None, None] * inverse
    rho = torch.where(curved, 1 / bend, 0.0).unsqueeze(-1)
    image = (inverse @ y.unsqueeze(-1)).squeeze(-1)
    twice = rho * (rho * (y * image).sum(-1, keepdim=True) + 1) / 2 * s - rho * image
    outer = s.unsqueeze(-1) * twice.unsqueeze(-2)
    return inverse + outer + outer.mT


def gather(energy: Energy, found: Descents) -> Iterator[Minimum]:
    """Yields what descents have come to, each once, from the lowest; it may be a saddle or a kink, or flat."""

    left = found.value.isfinite().nonzero().squeeze(-1)
    left = left[found.value[left].argsort()]
    while len(left):
        x, grad, bend, evaluations = polish(energy, found.x[left[0]])
        gap = found.x[left] - x
        same = ((gap @ bend) * gap).sum(-1).abs() < SAME**2
        same[0] = True
        value = energy(x.unsqueeze(0)).item()
        curvatures = torch.linalg.eigvalsh(bend)
        yield Minimum(x, value, grad.norm().item(), curvatures, int(same.sum()), evaluations + 1)
        left = left[~same]


def polish(energy: Energy, x: Tensor, steps: int = 4) -> tuple[Tensor, Tensor, Tensor, int]:
    """Takes Newton steps from a point with shape (d) while they shorten; returns it, its derivatives and their cost."""

    cost = len(x) * (len(x) + 1) // 2
    grad, bend = hessian(energy, x)
    last = SAME**2
    for taken in range(steps):
        factor, fault = torch.linalg.cholesky_ex(bend)
        step = torch.cholesky_solve(grad.unsqueeze(-1), factor).squeeze(-1)
        square = (grad @ step).item()  # the step's length squared, in standard deviations
        if fault or not _NOTHING < square < last:
            return x, grad, bend, (taken + 1) * cost
        x, last = x - step, square / 4
        grad, bend = hessian(energy, x)
    return x, grad, bend, (steps + 1) * cost


@torch.no_grad()
def hessian(energy: Energy, x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Returns the gradient, with shape (d), and the Hessian, with shape (d, d), at a point.

    It is put together from second-order forms, :math:`2 H_{ij} = (e_i + e_j)^\top H (e_i + e_j) - H_{ii} - H_{jj}`.
    """

    d = len(x)
    eye = torch.eye(d, dtype=x.dtype)
    pairs = torch.tensor(list(combinations(range(d), 2)), dtype=torch.long).view(-1, 2)
    probes = torch.cat([eye, eye[pairs[:, 0]] + eye[pairs[:, 1]]])
    jets = [jet(energy, x.expand_as(probe).contiguous(), probe) for probe in chunks(probes, 1024)]
    forms = torch.cat([each.second for each in jets])
    h = torch.diag(forms[:d])
    off = (forms[d:] - forms[pairs[:, 0]] - forms[pairs[:, 1]]) / 2
    h[pairs[:, 0], pairs[:, 1]] = h[pairs[:, 1], pairs[:, 0]] = off
    return jets[0].grad[0], h
