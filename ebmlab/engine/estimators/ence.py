from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.noise import GaussianNoise
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.spec import knob, part


@ESTIMATORS.register("ence")
@dataclass(frozen=True, kw_only=True)
class ExponentialNoiseContrastiveEstimation(Estimator):
    r"""Noise-contrastive estimation with an exponential loss (eNCE).

    .. math:: L = \frac{1}{2} \mathbb{E}_{p}[e^{-\varphi(x)}] + \frac{1}{2} \mathbb{E}_{q}[e^{\varphi(x)}], \qquad
        \varphi(x) = \frac{1}{2} (-E_\theta(x) - c - \log q(x))

    .. math:: g = \nabla L / |\nabla L|

    Where noise lies far from the data the logistic loss of NCE is flat long before the optimum. This one is not, in
    the directions that matter, once its gradient is divided by its norm, the parameter c included. At the optimum
    :math:`c = \log Z` and L is the Bhattacharyya coefficient :math:`\int \sqrt{p q}`. The exponentials have a price:
    the rarest points rule the gradient, whose variance grows quickly where p and q share little. An optimiser such as
    Adam, which rescales gradients itself, takes most of the normalisation's effect.

    References:
        | Analyzing and improving the optimization landscape of noise-contrastive estimation (Liu et al., 2022)
        | https://arxiv.org/abs/2110.11271
    """

    objective: ClassVar[str] = "eNCE loss"

    normalised: bool = knob(True, "Whether the gradient is divided by its norm.")
    noise: GaussianNoise = part("", GaussianNoise(), "The law q that the data are told apart from.")

    @torch.no_grad()
    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Tensor:
        return self.noise.log_z(energy, max(1024, len(batch.x)), rng, batch.x).requires_grad_()

    def learnt(self, memory: Tensor) -> Iterable[Tensor]:
        return (memory,)

    def warning(self, energy: Energy, batch: Batch, memory: Tensor) -> str:
        return self.noise.complaint(batch.x)

    def stages(self, energy: Energy, batch: Batch, memory: Tensor, rng: Rng) -> Stages[tuple[Terms, Tensor]]:
        n = len(batch.x)
        x = torch.cat([batch.x, self.noise.sample(n, rng, batch.x)])
        yield Stage("noise", "Noise points are drawn, for the data to be told apart from.", x[n:])

        phi = (-energy(x) - memory - self.noise.log_density(x)) / 2
        yield Stage("positive", "The energy falls where data are taken for noise.", x[:n])
        yield Stage("negative", "The energy rises where noise is taken for data.", x[n:])
        log_loss = torch.logsumexp(torch.cat([-phi[:n], phi[n:]]), 0) - math.log(2 * n)
        value = log_loss.detach().exp()
        loss = log_loss / length(log_loss) if self.normalised else log_loss.exp()
        return Terms(loss, value=value, log_z=memory.detach().clone()), memory


def length(loss: Tensor) -> Tensor:
    """Returns the norm of the gradient of a loss in all that it depends on, a scalar; 1 where it is 0."""

    found = leaves(loss)
    if not found:
        return torch.ones_like(loss)
    slopes = torch.autograd.grad(loss, found, retain_graph=True)
    norm = torch.nn.utils.get_total_norm(slopes)
    return torch.where(norm > 0, norm, torch.ones_like(norm))


def leaves(loss: Tensor) -> list[Tensor]:
    """Returns the tensors at the ends of a loss's graph, which its gradient reaches."""

    found, seen, waiting = [], set(), [loss.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is None or node in seen:
            continue
        seen.add(node)
        if (leaf := getattr(node, "variable", None)) is not None:
            found.append(leaf)
        waiting += [below for below, _ in node.next_functions]
    return found
