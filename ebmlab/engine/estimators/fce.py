from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.coupling import Coupling
from ebmlab.engine.estimators.inner import Learner, begin, descend
from ebmlab.engine.estimators.noise import balance, logistic
from ebmlab.engine.memory import remembered
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob

MOST = 1024
"""Data points that the flow and the constant start from, of a large batch."""

WARM = 5.0
"""How many times faster the flow learns by likelihood than in the contest."""


@remembered
class Contest(NamedTuple):
    """The flow, and the constant that the energy is normalised with."""

    flow: Coupling
    learner: Learner
    c: Tensor  # ()


@ESTIMATORS.register("fce")
@dataclass(frozen=True, kw_only=True)
class FlowContrastiveEstimation(Estimator):
    r"""Flow contrastive estimation.

    .. math:: \max_q \min_{\theta, c} \; -\mathbb{E}_{p} \log \sigma(h(x)) - \mathbb{E}_{q} \log \sigma(-h(x)), \qquad
        h(x) = -E_\theta(x) - c - \log q(x)

    Noise-contrastive estimation whose noise learns too: q is a normalising flow, fitted to the data by likelihood at
    the start, that then makes itself ever harder to tell from them. At a perfect flow the loss is :math:`2 \log 2`,
    and c has learnt :math:`\log Z`. The flow's divergence from the data is that of Jensen and Shannon, so that both the
    energy and the flow are models. As noise comes close to the data the contrast teaches less about the tails, where
    neither has points, and no maximum of a contest need be reached: the two may circle.

    References:
        | Flow contrastive estimation of energy-based models (Gao et al., 2020)
        | https://arxiv.org/abs/1912.00589
    """

    objective: ClassVar[str] = "NCE loss"

    layers: int = knob(4, "Couplings of the flow.", low=1, high=32, soft=(2, 12))
    width: int = knob(64, "Hidden units of each coupling.", low=1, high=256, soft=(8, 128))
    warm_up: int = knob(50, "Steps that the flow is fitted to the first batch for.", low=0, high=10_000, soft=(0, 500))
    flow_steps: int = knob(1, "Steps that the flow learns per training step.", low=0, high=1000, soft=(0, 10))
    flow_rate: float = knob(1e-3, "Learning rate of the flow.", low=1e-7, high=1.0, soft=(1e-5, 1e-1), scale="log")

    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Contest:
        x = batch.x[:MOST]
        flow = Coupling(x.shape[-1], self.layers, self.width)
        learner = begin(flow.draw(x.mean(0), x.std(0, correction=0).clamp(min=1e-3), rng))
        for _ in range(self.warm_up):
            learner = descend(learner, lambda theta: -flow.log_density(theta, x).mean(), WARM * self.flow_rate)
        with torch.no_grad():
            y, log_q = flow.generate(learner.theta, randn(x.shape, rng, x))
            at_q = torch.cat([flow.log_density(learner.theta, x), log_q])
            c = balance(-energy(torch.cat([x, y])) - at_q, len(x))
        return Contest(flow, learner, c.requires_grad_())

    def fits(self, memory: Contest) -> bool:
        return memory.flow[1:] == (self.layers, self.width)

    def learnt(self, memory: Contest) -> Iterable[Tensor]:
        return (memory.c,)

    def stages(self, energy: Energy, batch: Batch, memory: Contest, rng: Rng) -> Stages[tuple[Terms, Contest]]:
        x, (flow, learner, c) = batch.x, memory
        at_data = energy(x)
        known, constant = (at_data + c).detach(), c.detach()
        for _ in range(self.flow_steps):
            z = randn(x.shape, rng, x)

            def objective(theta: Tensor, z: Tensor = z) -> Tensor:
                return ease(energy, flow.generate(theta, z), known + flow.log_density(theta, x), constant)

            learner = descend(learner, objective, self.flow_rate)
        with torch.no_grad():
            y, log_q = flow.generate(learner.theta, randn(x.shape, rng, x))
            at_q = torch.cat([flow.log_density(learner.theta, x), log_q])
        yield Stage("noise", "The flow has learnt to be harder to tell from the data, and draws the noise.", y)
        yield Stage("positive", "The energy falls where data are taken for noise.", x)
        yield Stage("negative", "The energy rises where noise is taken for data.", y)
        loss = logistic(-torch.cat([at_data, energy(y)]) - c - at_q, len(x))
        return Terms(loss, y, loss.detach(), log_z=constant.clone()), Contest(flow, learner, c)


def ease(energy: Energy, noise: tuple[Tensor, Tensor], at_data: Tensor, c: Tensor) -> Tensor:
    r"""Returns the contrast with its sign turned, for the flow to descend.

    Arguments:
        energy: The energy, whose own parameters stand still.
        noise: Points y of the flow and :math:`\log q(y)`, as functions of its parameters.
        at_data: :math:`-h` at the data.
        c: The constant.
    """

    y, log_q = noise
    value, grad = value_and_grad(energy, y.detach())
    at_noise = value + ((y - y.detach()) * grad).sum(-1) + c + log_q
    return -logistic(-torch.cat([at_data, at_noise]), len(at_data))
