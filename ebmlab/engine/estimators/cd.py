from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.phases import GAP, contrast, fleeting, move
from ebmlab.engine.samplers.base import Sampler
from ebmlab.engine.samplers.ula import UnadjustedLangevin
from ebmlab.engine.types import Energy, Rng, Stages
from ebmlab.spec import knob, part


@ESTIMATORS.register("cd")
@dataclass(frozen=True, kw_only=True)
class ContrastiveDivergence(Estimator):
    r"""Contrastive divergence (CD-k).

    .. math:: \nabla_\theta L = \mathbb{E}_{p}[\nabla_\theta E_\theta(x)]
        - \mathbb{E}_{x^- \sim K^k(\cdot \mid x)}[\nabla_\theta E_\theta(x^-)]

    The negatives start at the data and are moved only k times by the kernel K, so the estimator sees the model only
    near the data: a well that no chain reaches is never lifted, and the weights of far modes are not learnt. With a
    single Langevin move of a small step size :math:`\epsilon` the gradient is :math:`\epsilon` times that of implicit
    score matching.

    References:
        | Training products of experts by minimizing contrastive divergence (Hinton, 2002)
        | https://doi.org/10.1162/089976602760128018
    """

    objective: ClassVar[str] = GAP

    steps: int = knob(
        10,
        "Transitions k of every chain per training step.",
        low=1,
        high=10_000,
        soft=(1, 200),
        scale="log",
        symbol="k",
    )
    sampler: Sampler = part("sampler", UnadjustedLangevin(step_size=0.02), "What moves the negatives.")

    def caution(self) -> str:
        return fleeting(self.sampler, self.steps)

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        chains = self.sampler.init(energy, batch.x)
        chains, info = yield from move(self.sampler, self.steps, energy, chains, rng)
        terms = yield from contrast(energy, batch.x, chains.x)
        return terms._replace(accept=info.accept), None
