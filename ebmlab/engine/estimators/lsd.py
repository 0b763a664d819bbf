from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.calculus import gradient
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.inner import Learner, Sizes, begin, descend, draw, layers
from ebmlab.engine.memory import remembered
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.spec import knob


@remembered
class Critic(NamedTuple):
    """A network that maps points to arrows."""

    sizes: Sizes
    learner: Learner


@ESTIMATORS.register("lsd")
@dataclass(frozen=True, kw_only=True)
class LearnedSteinDiscrepancy(Estimator):
    r"""Learned Stein discrepancy.

    .. math:: D = \max_f \mathbb{E}_{p}\left[ s_\theta \cdot f + \nabla \cdot f - \lambda |f|^2 \right], \qquad
        s_\theta = -\nabla E_\theta

    .. math:: f^* = \frac{s_\theta - s_p}{2 \lambda}, \qquad
        D^* = \frac{1}{4 \lambda} \mathbb{E}_{p} |s_\theta - s_p|^2

    A critic f, a small network that maps points to arrows, learns where the model's score errs; the energy follows the
    slope of :math:`\mathbb{E}_p[s_\theta \cdot f]` with f held still. At its best the critic *is* the error of the
    score, and the discrepancy the Fisher divergence, found without second derivatives of the energy. A critic that lags
    behind reports too little and may turn the energy the wrong way; give it more steps. It shares the blindness of score
    matching to how far modes share the mass.

    References:
        | Learning the Stein discrepancy for training and evaluating energy-based models without sampling (Grathwohl et al., 2020)
        | https://arxiv.org/abs/2002.05616
    """  # noqa: E501

    objective: ClassVar[str] = "Stein discrepancy"

    penalty: float = knob(
        0.5,
        "Price λ of the critic's squared length.",
        low=1e-3,
        high=1000.0,
        soft=(0.05, 10.0),
        scale="log",
        symbol="λ",
    )
    critic_steps: int = knob(5, "Steps that the critic learns per training step.", low=1, high=1000, soft=(1, 20))
    critic_rate: float = knob(1e-3, "Learning rate of the critic.", low=1e-7, high=1.0, soft=(1e-5, 1e-1), scale="log")
    critic_width: int = knob(64, "Units in each of the critic's two hidden layers.", low=1, high=512, soft=(8, 256))

    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Critic:
        dim = batch.x.shape[-1]
        sizes = dim, self.critic_width, self.critic_width, dim
        return Critic(sizes, begin(draw(sizes, rng, batch.x)))

    def fits(self, memory: Critic) -> bool:
        return memory.sizes[1] == self.critic_width

    def stages(self, energy: Energy, batch: Batch, memory: Critic, rng: Rng) -> Stages[tuple[Terms, Critic]]:
        x, (sizes, learner) = batch.x, memory
        yield Stage("data", "At the data the critic learns where the force errs.", x)
        score = -gradient(energy, x)
        still = score.detach()

        def shortfall(theta: Tensor) -> Tensor:
            f, divergence = arrows(theta, sizes, x)
            return ((self.penalty * f - still) * f).sum(-1).mean() - divergence.mean()

        for _ in range(self.critic_steps):
            learner = descend(learner, shortfall, self.critic_rate)
        with torch.no_grad():
            f, divergence = arrows(learner.theta, sizes, x)
        yield Stage("negative", "The energy bends its force against the critic's arrows.", x + f, x)
        stein = (score * f).sum(-1).mean() + divergence.mean()
        return Terms(stein, value=stein.detach() - self.penalty * f.square().sum(-1).mean()), Critic(sizes, learner)


def arrows(theta: Tensor, sizes: Sizes, x: Tensor) -> tuple[Tensor, Tensor]:
    r"""Returns the critic's arrows f at points, with shape (n, d), and their divergence, with shape (n).

    With weights :math:`W_1, W_2, W_3` and slopes :math:`g_l = \sigma'(a_l)` of the units, the divergence is exact and
    costs the same in any dimension:

    .. math:: \nabla \cdot f = \operatorname{tr}(W_3 \operatorname{diag}(g_2) W_2 \operatorname{diag}(g_1) W_1)
        = g_2^\top \left( W_2 \circ (W_1 W_3)^\top \right) g_1
    """

    (w1, b1), (w2, b2), (w3, b3) = layers(theta, sizes)
    h, first = _bend(torch.addmm(b1, x, w1.t()))
    h, second = _bend(torch.addmm(b2, h, w2.t()))
    mixed = w2 * (w1 @ w3).t()
    return torch.addmm(b3, h, w3.t()), ((first @ mixed.t()) * second).sum(-1)


def _bend(a: Tensor) -> tuple[Tensor, Tensor]:
    """Returns SiLU and its derivative."""

    s = torch.sigmoid(a)
    h = a * s
    return h, s + h * (1 - s)
