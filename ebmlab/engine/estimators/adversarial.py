from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.calculus import gradient, value_and_grad
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.coupling import Coupling
from ebmlab.engine.estimators.inner import Learner, begin, descend
from ebmlab.engine.memory import remembered
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@remembered
class Generator(NamedTuple):
    """A flow that draws points in one go."""

    flow: Coupling
    learner: Learner


@ESTIMATORS.register("adversarial")
@dataclass(frozen=True, kw_only=True)
class AdversarialTraining(Estimator):
    r"""Adversarial training against a generator of known entropy.

    .. math:: \log Z_\theta = \max_q \; \mathbb{E}_{q}[-E_\theta] + H(q)

    .. math:: \min_\theta \max_q \; \mathbb{E}_{p}[E_\theta] - \mathbb{E}_{q}[E_\theta] + H(q)
        + \frac{\gamma}{2} \mathbb{E}_{p} |\nabla E_\theta|^2

    The variational form of maximum likelihood: a generator q draws the negatives in one go. It learns to draw where the
    energy is low and to spread: its entropy H is exact here, since q is a normalising flow or a Gaussian.
    :math:`\mathbb{E}_q[-E] + H` is a *lower* bound on :math:`\log Z`, tight where q is the model, so that the objective
    flatters the likelihood. A generator that misses a mode leaves that mode's energy to sink unseen, for it minimises a
    reverse divergence, which seeks modes; then the two chase each other from mode to mode. The penalty :math:`\gamma` on
    the force at the data slows the chase and flattens the energy: a Gaussian's precision solves
    :math:`a (1 + 2 \gamma a) = 1 / s^2`. A Gaussian generator cannot follow any model that is not one.

    References:
        | Deep directed generative models with energy-based probability estimation (Kim & Bengio, 2016)
        | https://arxiv.org/abs/1606.03439
        | Maximum entropy generators for energy-based models (Kumar et al., 2019)
        | https://arxiv.org/abs/1901.08508
        | No MCMC for me: amortized sampling for fast and stable training of energy-based models (Grathwohl et al., 2021)
        | https://arxiv.org/abs/2010.04230
    """  # noqa: E501

    objective: ClassVar[str] = "NLL bound"

    generator: str = knob("flow", "The law q that draws the negatives.", choices=("flow", "gaussian"), symbol="q")
    layers: int = knob(6, "Couplings of the flow.", low=1, high=32, soft=(2, 12))
    width: int = knob(64, "Hidden units of each coupling.", low=1, high=256, soft=(8, 128))
    generator_steps: int = knob(3, "Steps that q learns per training step.", low=1, high=1000, soft=(1, 20))
    generator_rate: float = knob(2e-3, "Learning rate of q.", low=1e-9, high=1.0, soft=(1e-5, 1e-1), scale="log")
    penalty: float = knob(
        0.1,
        "Price γ of the squared force at the data, against chases; 0 for none.",
        low=0.0,
        high=100.0,
        soft=(0.0, 1.0),
        symbol="γ",
    )

    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Generator:
        left, right, bottom, top = batch.window
        dim, like = batch.x.shape[-1], batch.x
        mean = like.new_tensor(([(left + right) / 2, (bottom + top) / 2] * dim)[:dim])
        scale = like.new_tensor(([(right - left) / 4, (top - bottom) / 4] * dim)[:dim])
        flow = Coupling(dim, self._couplings(), self.width)
        return Generator(flow, begin(flow.draw(mean, scale, rng)))

    def fits(self, memory: Generator) -> bool:
        return memory.flow.layers == self._couplings() and (memory.flow.width == self.width or not memory.flow.layers)

    def caution(self) -> str:
        if self.generator == "gaussian":
            return "a Gaussian generator follows only a Gaussian model"
        return "the penalty on the force flattens the energy" if self.penalty > 0 else ""

    def stages(self, energy: Energy, batch: Batch, memory: Generator, rng: Rng) -> Stages[tuple[Terms, Generator]]:
        n, (flow, learner) = len(batch.x), memory
        for _ in range(self.generator_steps):
            z = randn(batch.x.shape, rng, batch.x)

            def objective(theta: Tensor, z: Tensor = z) -> Tensor:
                return excess(energy, *flow.generate(theta, z))

            learner = descend(learner, objective, self.generator_rate)
        with torch.no_grad():
            x, log_q = flow.generate(learner.theta, randn(batch.x.shape, rng, batch.x))
        yield Stage("negatives", "The generator has learnt a little and draws the negatives.", x)
        yield Stage("positive", "Positive phase: the energy falls at the data.", batch.x)
        yield Stage("negative", "Negative phase: the energy rises where the generator draws.", x)

        at_data, at_model = energy(torch.cat([batch.x, x])).split([n, n])
        loss = at_data.mean() - at_model.mean()
        bound = -(at_model.detach() + log_q).mean()
        value = at_data.detach().mean() + bound
        if self.penalty > 0:
            loss = loss + self.penalty / 2 * gradient(energy, batch.x).square().sum(-1).mean()
        return Terms(loss, x, value, log_z=bound), Generator(flow, learner)

    def _couplings(self) -> int:
        return self.layers if self.generator == "flow" else 0


def excess(energy: Energy, x: Tensor, log_q: Tensor) -> Tensor:
    r"""Returns :math:`\mathbb{E}_q[E + \log q]`, the divergence of q from the model less :math:`\log Z`.

    Only its slope along x and :math:`\log q` is kept: the energy's own parameters stand still.
    """

    value, grad = value_and_grad(energy, x.detach())
    return (value + ((x - x.detach()) * grad).sum(-1) + log_q).mean()
