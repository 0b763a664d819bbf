from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ebmlab.engine.estimators import inner
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.inner import Sizes
from ebmlab.engine.estimators.noise import GaussianNoise, balance
from ebmlab.engine.memory import remembered
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.spec import knob, part


@remembered
class Bridges(NamedTuple):
    """The energies between the first and the last, one to a row, and the constants; trained with the energy."""

    theta: Tensor  # (m - 1, j), curvature b, slope v and a perceptron each
    c: Tensor  # (m,)
    sizes: Sizes


@ESTIMATORS.register("tre")
@dataclass(frozen=True, kw_only=True)
class TelescopingRatios(Estimator):
    r"""Telescoping density-ratio estimation (TRE).

    .. math:: x_k = \sqrt{1 - \alpha_k^2} \, x_0 + \alpha_k x_m, \qquad \alpha_k = k / m, \qquad
        x_0 \sim p, \quad x_m \sim q

    .. math:: \log p = \log q + \sum_{k=0}^{m-1} \log r_k, \qquad \log r_k = U_{k+1} - U_k - c_k, \qquad
        U_0 = E_\theta, \quad U_m = -\log q

    Where noise is far from the data one contrast teaches little, so the way is cut into m bridges between waymarks,
    each short enough for its classifier to be unsure; the loss is the mean of their logistic losses. Here every ratio
    is a difference of energies: the first is the model, small networks learn those between, and the sum telescopes to
    :math:`\log p = -E_\theta - \sum_k c_k`, so the constants have learnt :math:`\log Z`. With one bridge this is
    noise-contrastive estimation. The model itself is trained only on the first bridge, between the data and the first
    waymark: what lies beyond both is left to how the energy extrapolates.

    References:
        | Telescoping density-ratio estimation (Rhodes et al., 2020)
        | https://arxiv.org/abs/2006.12204
    """

    objective: ClassVar[str] = "TRE loss"

    bridges: int = knob(3, "Bridges m from the data to the noise.", low=1, high=32, soft=(1, 10), symbol="m")
    width: int = knob(64, "Units in each hidden layer of the energies between.", low=1, high=256, soft=(8, 128))
    noise: GaussianNoise = part("", GaussianNoise(), "The law q at the far end.")

    @torch.no_grad()
    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Bridges:
        n, d = batch.x.shape
        sizes = d, self.width, self.width, 1
        marks = self.waymarks(batch.x, self.noise.sample(n, rng, batch.x))
        alpha2 = self._alpha(batch.x)[1:-1].square()
        spread = alpha2 * self.noise.width**2 + (1 - alpha2) * batch.x.var(0, correction=0).mean()
        mean, b = marks[1:-1].mean(1), spread.reciprocal().view(-1, 1)  # a Gaussian for each waymark to start with
        drawn = [inner.draw(sizes, rng, batch.x) for _ in range(len(mean))]
        nets = torch.stack(drawn) if drawn else b.new_empty(0, inner.size(sizes))
        theta = torch.cat([b, -b * mean, nets], -1)
        memory = Bridges(theta.requires_grad_(), theta.new_zeros(self.bridges), sizes)
        return memory._replace(c=balance(self.ratios(energy, marks, memory), n).requires_grad_())

    def fits(self, memory: Bridges) -> bool:
        return len(memory.c) == self.bridges and memory.sizes[1] == self.width

    def learnt(self, memory: Bridges) -> Iterable[Tensor]:
        return (memory.c, memory.theta) if self.bridges > 1 else (memory.c,)

    def warning(self, energy: Energy, batch: Batch, memory: Bridges) -> str:
        return self.noise.complaint(batch.x)

    def stages(self, energy: Energy, batch: Batch, memory: Bridges, rng: Rng) -> Stages[tuple[Terms, Bridges]]:
        n, noise = len(batch.x), self.noise.sample(len(batch.x), rng, batch.x)
        yield Stage("noise", "Each data point is carried to a point of noise, by waymarks.", noise, batch.x)
        marks = self.waymarks(batch.x, noise)
        yield Stage("positive", "The energy falls where data are taken for the first waymark.", batch.x)
        yield Stage("negative", "The energy rises where the first waymark is taken for data.", marks[1], batch.x)

        log_r = self.ratios(energy, marks, memory) - memory.c.unsqueeze(1)
        loss = softplus(-log_r[:, :n]).mean() + softplus(log_r[:, n:]).mean()
        return Terms(loss, value=loss.detach(), log_z=memory.c.detach().sum()), memory

    def ratios(self, energy: Energy, marks: Tensor, memory: Bridges) -> Tensor:
        """Returns U_{k+1} - U_k of every bridge k at the n points before it and the n behind it, with shape (m, 2n)."""

        n = marks.shape[1]
        first = energy(marks[:2].flatten(0, 1))
        last = -self.noise.log_density(marks[-2:].flatten(0, 1))
        between = energies(memory, torch.cat([marks[:-2], marks[1:-1], marks[2:]], 1))  # (m - 1, 3n)
        upper = torch.cat([between[:, : 2 * n], last.unsqueeze(0)])
        return upper - torch.cat([first.unsqueeze(0), between[:, n:]])

    def waymarks(self, x: Tensor, noise: Tensor) -> Tensor:
        """Returns the points on the way from data to noise, with shape (m + 1, n, d)."""

        alpha = self._alpha(x)
        return (1 - alpha.square()).sqrt() * x + alpha * noise

    def _alpha(self, like: Tensor) -> Tensor:
        return torch.linspace(0, 1, self.bridges + 1, dtype=like.dtype, device=like.device).view(-1, 1, 1)


def energies(memory: Bridges, x: Tensor) -> Tensor:
    r"""Returns :math:`U_k(x) = b_k |x|^2 / 2 + v_k \cdot x + f_k(x)`, with shape (m - 1, n), for x (m - 1, n, d)."""

    d = x.shape[-1]
    b, v, nets = memory.theta.split([1, d, memory.theta.shape[1] - d - 1], -1)
    form = b * x.square().sum(-1) / 2 + torch.matmul(x, v.unsqueeze(-1)).squeeze(-1)
    return form + inner.perceptron(nets, memory.sizes, x).squeeze(-1)
