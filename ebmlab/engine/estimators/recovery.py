from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.phases import GAP, contrast, fleeting, move
from ebmlab.engine.samplers.base import Sampler
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import BadInput, knob, part


@dataclass(frozen=True, slots=True)
class Conditional:
    r"""The energy of x given its blurred copy, :math:`E(x) + |x - \tilde{x}|^2 / (2 \sigma^2)`, one to each chain."""

    energy: Energy
    blurred: Tensor  # (n, d)
    sigma: float

    def __call__(self, x: Tensor) -> Tensor:
        return self.energy(x) + self._way(x).square().sum(-1) / 2

    def value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns both at x, with shapes (n) and (n, d), detached."""

        value, grad = value_and_grad(self.energy, x)
        way = self._way(x)
        return value + way.square().sum(-1) / 2, grad + way / self.sigma

    def _way(self, x: Tensor) -> Tensor:
        return (x - self.blurred) / self.sigma


@ESTIMATORS.register("recovery")
@dataclass(frozen=True, kw_only=True)
class RecoveryLikelihood(Estimator):
    r"""Recovery likelihood.

    .. math:: L = -\mathbb{E}_{p} \, \mathbb{E}_{\tilde{x}} \log p_\theta(x \mid \tilde{x}), \qquad
        \tilde{x} = x + \sigma e, \qquad
        p_\theta(x \mid \tilde{x}) \propto e^{-E_\theta(x) - |x - \tilde{x}|^2 / (2 \sigma^2)}

    .. math:: \nabla_\theta L = \mathbb{E}_{p}[\nabla_\theta E_\theta(x)]
        - \mathbb{E}_{\tilde{x}} \, \mathbb{E}_{p_\theta(x^- \mid \tilde{x})}[\nabla_\theta E_\theta(x^-)]

    Each data point is blurred, and the negatives are drawn from what the model says it was before, by chains that
    start at the blurred copy. Given that, the law has a single narrow peak where :math:`\sigma` is small, so chains mix
    fast; yet the optimum is the true density for *every* :math:`\sigma`, not a blurred one. What is small is then what
    it sees: no chain passes from one far mode to another, and their shares are learnt slowly or not at all. The step
    size must be small beside :math:`\sigma^2`, or else MALA takes hardly a move, as the acceptance shows, and the
    negatives stay at the blurred copies. Up to a constant it is the energy discrepancy of :math:`t = \sigma^2`, by
    chains instead of importance sampling.

    References:
        | Learning energy-based models by diffusion recovery likelihood (Gao et al., 2021)
        | https://arxiv.org/abs/2012.08125
        | Generalized denoising auto-encoders as generative models (Bengio et al., 2013)
        | https://arxiv.org/abs/1305.6663
    """

    objective: ClassVar[str] = GAP

    sigma: float = knob(1.0, "Width σ of the blur.", low=1e-3, high=100.0, soft=(0.05, 5.0), scale="log", symbol="σ")
    steps: int = knob(
        20,
        "Transitions k of every chain per training step.",
        low=1,
        high=10_000,
        soft=(1, 200),
        scale="log",
        symbol="k",
    )
    sampler: Sampler = part("sampler", MetropolisLangevin(step_size=0.1), "What moves the negatives.")

    def validate(self) -> None:
        if not self.sampler.apart:
            message = f"each chain has an energy of its own, and {self.sampler.kind} mixes them up; try mala"
            raise BadInput(message, key="sampler")

    def caution(self) -> str:
        return fleeting(self.sampler, self.steps)

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        blurred = batch.x + self.sigma * randn(batch.x.shape, rng, batch.x)
        yield Stage("noise", "Each data point is blurred, and is to be recovered.", blurred, batch.x)
        conditional = Conditional(energy, blurred, self.sigma)
        chains = self.sampler.init(conditional, blurred)
        chains, info = yield from move(self.sampler, self.steps, conditional, chains, rng)
        terms = yield from contrast(energy, batch.x, chains.x)
        return terms._replace(accept=info.accept), None
