from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.noise import GaussianNoise
from ebmlab.engine.estimators.phases import GAP, contrast, fleeting, move
from ebmlab.engine.samplers.base import Sampler
from ebmlab.engine.samplers.ula import UnadjustedLangevin
from ebmlab.engine.types import Energy, Rng, Stages
from ebmlab.engine.window import uniform
from ebmlab.spec import knob, part


@ESTIMATORS.register("short-run")
@dataclass(frozen=True, kw_only=True)
class ShortRun(Estimator):
    r"""Short runs from noise.

    .. math:: \nabla_\theta L = \mathbb{E}_{p}[\nabla_\theta E_\theta(x)]
        - \mathbb{E}_{x^- \sim p_0 K^k}[\nabla_\theta E_\theta(x^-)]

    Fresh noise :math:`p_0` is moved k times by the kernel K, at every step anew. What is learnt is not a density but a
    *generator*: an energy whose k moves turn noise into the data. Its samples are right, and :math:`e^{-E}` is not:
    with Langevin moves from :math:`\mathcal{N}(0, v_0 I)` and data from :math:`\mathcal{N}(0, s^2 I)` the learnt
    precision a solves

    .. math:: r^k v_0 + 2 \epsilon \, \frac{1 - r^k}{1 - r} = s^2, \qquad r = (1 - \epsilon a)^2

    which is :math:`1 / s^2` only for long runs of small moves, and negative where narrow noise has too little time to
    spread.

    References:
        | Learning non-convergent non-persistent short-run MCMC toward energy-based model (Nijkamp et al., 2019)
        | https://arxiv.org/abs/1904.09770
        | On the anatomy of MCMC-based maximum likelihood learning of energy-based models (Nijkamp et al., 2020)
        | https://arxiv.org/abs/1903.12370
    """

    objective: ClassVar[str] = GAP

    steps: int = knob(
        20,
        "Transitions k of every chain per training step.",
        low=1,
        high=10_000,
        soft=(1, 200),
        scale="log",
        symbol="k",
    )
    start: str = knob(
        "uniform", "Where the chains start: uniformly in the window, or in the noise.", choices=("uniform", "noise")
    )
    noise: GaussianNoise = part("", GaussianNoise(), "The law that the chains start from, if asked for.")
    sampler: Sampler = part("sampler", UnadjustedLangevin(step_size=0.05), "What moves the negatives.")

    def caution(self) -> str:
        return fleeting(self.sampler, self.steps)

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        chains = self.sampler.init(energy, self._noise(batch, rng))
        chains, info = yield from move(self.sampler, self.steps, energy, chains, rng)
        terms = yield from contrast(energy, batch.x, chains.x)
        return terms._replace(accept=info.accept), None

    def _noise(self, batch: Batch, rng: Rng) -> Tensor:
        n, dim = batch.x.shape
        if self.start == "uniform":
            return uniform(batch.window, n, rng, batch.x, dim)
        return self.noise.sample(n, rng, batch.x)
