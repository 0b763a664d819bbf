r"""The free energies of the rungs of a ladder, from points of all of them.

A point enters only by its gap :math:`g = E - E_0`, since on a rung :math:`E_\beta = E_0 + \beta g`. As many points are
drawn on each rung, and with f the free energies, :math:`f_k = -\log Z_{\beta_k}`,

.. math:: P_k(g) = \frac{\exp(f_k - \beta_k g)}{\sum_l \exp(f_l - \beta_l g)}

is the probability that a point of the pool was drawn on rung k. The likelihood of f is concave, and greatest where the
points that each rung is expected to own are as many as it has:

.. math:: \sum_n P_k(g_n) = N_k

Gaps have shape (draws, rungs, ladders) throughout, float64 on the CPU.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor

FARTHEST = 10.0
"""How far a step of Newton's method may go: far from the solution there is next to no curvature."""


def free_energies(gap: Tensor, betas: Tensor, f: Tensor) -> Iterator[Tensor]:
    """Yields the free energies less the first, with shape (rungs), after each step of Newton's method from a guess."""

    count = gap.shape[0] * gap.shape[2]
    for _ in range(50):
        p = chances(gap, betas, f)
        step = torch.zeros_like(f)
        step[1:] = torch.linalg.solve(curvature(p), (p.sum(0) - count)[1:])
        step *= min(1.0, FARTHEST / step.abs().max().clamp(min=1e-300).item())
        f = _descended(gap, betas, f, step)
        yield f
        if not step.abs().max() > 1e-9:
            break


def chances(gap: Tensor, betas: Tensor, f: Tensor) -> Tensor:
    """Returns the probabilities of the rungs for every point, with shape (points, rungs)."""

    return _logits(gap, betas, f).softmax(-1)


def curvature(p: Tensor) -> Tensor:
    """Returns the information about the free energies but the first, with shape (rungs - 1, rungs - 1)."""

    p = p[:, 1:]
    found = p.sum(0).diag() - p.T @ p
    return found + 1e-12 * len(p) * torch.eye(len(found), dtype=found.dtype)


def standard_error(gap: Tensor, betas: Tensor, f: Tensor, family: Tensor) -> float:
    r"""Returns the standard error of the last free energy, that between families of points that depend on each other.

    .. math:: \operatorname{Cov}(f) = H^{-1} \Bigl(\sum_i s_i s_i^\top\Bigr) H^{-1}, \qquad
        s_i = \sum_{n \in i} \bigl(P(g_n) - \bar{P}_{k(n)}\bigr)

    H is the information, and the mean of P is over the points of the same rung. For independent points it is, in the
    limit, Shirts and Chodera's asymptotic covariance.

    Arguments:
        gap: The gaps.
        betas: The inverse temperatures, with shape (rungs).
        f: The free energies.
        family: The family of each point, a whole number, with the shape of the gaps.
    """

    draws, rungs, ladders = gap.shape
    p = chances(gap, betas, f)
    each = p.view(draws, rungs, ladders, rungs)
    score = (each - each.mean((0, 2), keepdim=True)).view(-1, rungs)[:, 1:]
    total = score.new_zeros(int(family.max()) + 1, rungs - 1).index_add_(0, family.flatten(), score)
    pull = torch.linalg.solve(curvature(p), total.T)[-1]
    return math.sqrt(pull.square().sum().item() * ladders / (ladders - 1))


def _logits(gap: Tensor, betas: Tensor, f: Tensor) -> Tensor:
    # An infinite gap rules out every rung but the first, on which it does not matter.
    return f - torch.where(betas > 0, betas * gap.reshape(-1, 1), 0.0)


def _descended(gap: Tensor, betas: Tensor, f: Tensor, step: Tensor) -> Tensor:
    """Goes a Newton step down the negative log likelihood, or half of it, and so on, until it falls."""

    count = gap.shape[0] * gap.shape[2]

    def loss(f: Tensor) -> float:
        return (torch.logsumexp(_logits(gap, betas, f), -1).sum() - count * f.sum()).item()

    old, scale = loss(f), 1.0
    while scale > 1e-6 and not loss(f - scale * step) <= old + 1e-9 * abs(old):
        scale /= 2
    return f - scale * step
