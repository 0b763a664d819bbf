r"""The gradient truth meter: an estimator's parameter gradient beside that of the exact likelihood.

.. math:: g = \mathbb{E}_p[\nabla_\theta E_\theta] - \mathbb{E}_{p_\theta}[\nabla_\theta E_\theta]

Both phases are sums over the lattice of the oracle. The estimator draws several gradients :math:`\hat{g}_i` on the same
weights, each from a fresh batch, and neither the weights nor its memory change.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from ebmlab.engine.estimators.base import Batch, Estimator, Memory
from ebmlab.engine.quadrature import integral, like_of, values_at
from ebmlab.engine.reference import Reference
from ebmlab.engine.types import Rng, Work

REPEATS = 6
"""How many gradients the estimator draws, R."""


class GradientReading(NamedTuple):
    r"""How an estimator's gradient compares with the exact one.

    The bias is freed of what the noise of R draws adds to it: :math:`|\bar{g} - g|^2 - \operatorname{var} / R`, where
    that is above 0. All figures are NaN where there is no exact gradient, because the energy is not normalisable.
    """

    cosine: float  # between a single draw and the exact gradient, on average
    cosine_mean: float  # between the mean of the draws and the exact gradient
    bias: float  # |E ĝ - g| / |g|
    variance: float  # E |ĝ - E ĝ|² / |g|²
    norm: float  # |g|


def measure(
    net: nn.Module, target: Reference, estimator: Estimator, batch: int, memory: Memory, rng: Rng
) -> Work[GradientReading]:
    """Measures an estimator's gradient against the exact one, in pieces.

    Arguments:
        net: The energy, whose parameters and gradients are left as they are.
        target: The target, on the lattice of the oracle.
        estimator: The estimator.
        batch: Points in each of its batches.
        memory: Its memory, which is left as it is.
        rng: What its draws come from.
    """

    exact = yield from exact_gradient(net, target)
    if exact is None:
        return GradientReading(math.nan, math.nan, math.nan, math.nan, math.nan)
    parameters, like = _trained(net), like_of(net)
    draws: list[Tensor] = []
    for _ in range(REPEATS):
        x = target.density.sample(batch, rng).to(like)
        terms, _ = estimator.loss(net, Batch(x, target.window), memory, rng)
        draws.append(_flat(terms.loss, parameters))
        yield 0.5 + 0.5 * len(draws) / REPEATS
    return compare(torch.stack(draws), exact)


def compare(draws: Tensor, exact: Tensor) -> GradientReading:
    """Compares drawn gradients, with shape (R, m), with the exact one, with shape (m)."""

    tiny = torch.finfo(exact.dtype).tiny
    mean, norm = draws.mean(0), exact.norm().clamp(min=tiny)
    spread = (draws - mean).square().sum(-1).sum() / max(len(draws) - 1, 1)
    distance = (mean - exact).square().sum() - spread / len(draws)
    return GradientReading(
        cosine=torch.cosine_similarity(draws, exact[None], dim=-1, eps=tiny).mean().item(),
        cosine_mean=torch.cosine_similarity(mean, exact, dim=0, eps=tiny).item(),
        bias=(distance.clamp(min=0).sqrt() / norm).item(),
        variance=(spread / norm.square()).item(),
        norm=norm.item(),
    )


def exact_gradient(net: nn.Module, target: Reference, size: int = 2048) -> Work[Tensor | None]:
    """Computes the gradient of the exact negative log-likelihood, with shape (m), float64; None if there is none."""

    like, plane = like_of(net), target.plane
    pieces: list[Tensor] = []
    for piece in values_at(net, plane.points, like):
        pieces.append(piece)
        yield 0.2 * len(pieces) * 4096 / len(plane.points)
    values = torch.cat(pieces)
    whole = integral(plane, values, torch.finfo(like.dtype).eps)
    if whole.why:
        return None
    excess = target.share - torch.exp(plane.log_weights - values - whole.log_z)
    counts = excess.abs().gt(1e-12).nonzero().squeeze(-1)
    parameters = _trained(net)
    total = torch.zeros(sum(p.numel() for p in parameters), dtype=torch.float64)
    for i, at in enumerate(counts.split(size)):
        energy = net(plane.points[at].to(like))
        total += _flat((excess[at].to(like) * energy).sum(), parameters)
        yield 0.2 + 0.3 * i * size / max(len(counts), size)
    return total


def flat_gradient(loss: Tensor, net: nn.Module) -> Tensor:
    """Returns the gradient of a loss as one vector, with shape (m), float64 on the CPU; the net's own stay."""

    return _flat(loss, _trained(net))


def _trained(net: nn.Module) -> list[nn.Parameter]:
    return [p for p in net.parameters() if p.requires_grad]


def _flat(loss: Tensor, parameters: list[nn.Parameter]) -> Tensor:
    """Returns the gradient as one vector, float64 on the CPU; the parameters' own gradients stay as they are."""

    def parts() -> Iterator[Tensor]:
        for p, g in zip(parameters, torch.autograd.grad(loss, parameters, allow_unused=True)):
            yield (torch.zeros_like(p) if g is None else g).detach().flatten().cpu().double()

    return torch.cat(list(parts()))
