from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.phases import GAP, contrast
from ebmlab.engine.samplers.base import Chains, Sampler
from ebmlab.engine.samplers.parallel_tempering import ParallelTempering
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.engine.window import uniform
from ebmlab.spec import BadInput, knob, part


@ESTIMATORS.register("pt-pcd")
@dataclass(frozen=True, kw_only=True)
class TemperedPersistentContrastiveDivergence(Estimator):
    r"""Persistent contrastive divergence with parallel tempering (PT-PCD).

    .. math:: \nabla_\theta L = \mathbb{E}_{p}[\nabla_\theta E_\theta(x^+)]
        - \mathbb{E}_{x^-}[\nabla_\theta E_\theta(x^-)], \qquad
        (x^-_1, \ldots, x^-_K) \sim \prod_k e^{-E_\theta(x_k) / \tau_k}

    The negatives :math:`x^- = x^-_1` are the coldest of K persistent replicas that exchange places. Plain persistent
    chains hardly ever cross from one mode to another, so that they teach the shape of each mode and not its weight; the
    hot replicas cross, and carry the weights down. Since the chains are tested by Metropolis, there is no bias of
    discretisation: on a Gaussian of variance :math:`s^2` the learnt precision is :math:`1 / s^2` for every step size.
    What remains is lag, for as long as a replica takes from the top of the ladder to its foot, and noise: the weights
    of modes wander about the truth, the less the more chains and transitions there are. Each step costs about K times
    one of PCD with as many chains and transitions.

    References:
        | Tempered Markov chain Monte Carlo for training of restricted Boltzmann machines (Desjardins et al., 2010)
        | https://proceedings.mlr.press/v9/desjardins10a.html
        | Training restricted Boltzmann machines using approximations to the likelihood gradient (Tieleman, 2008)
        | https://doi.org/10.1145/1390156.1390290
    """

    objective: ClassVar[str] = GAP

    steps: int = knob(
        8,
        "Transitions k of every chain per training step.",
        low=1,
        high=10_000,
        soft=(1, 200),
        scale="log",
        symbol="k",
    )
    chains: int = knob(128, "Number of chains, each a ladder of replicas.", low=1, high=65536, soft=(16, 1024))
    sampler: Sampler = part("sampler", ParallelTempering(step_size=0.1), "What moves the negatives.")

    def validate(self) -> None:
        if not isinstance(self.sampler, ParallelTempering):
            message = (
                f"{self.sampler.kind} has no replicas to exchange; choose parallel-tempering, or the estimator pcd"
            )
            raise BadInput(message, key="sampler")

    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Chains:
        x = uniform(batch.window, self.chains, rng, batch.x, batch.x.shape[-1])
        return self.sampler.init(energy, x)

    def fits(self, memory: Chains) -> bool:
        return tuple(memory.extra.energy.shape) == (vars(self.sampler)["replicas"], self.chains)

    def stages(self, energy: Energy, batch: Batch, memory: Chains, rng: Rng) -> Stages[tuple[Terms, Chains]]:
        chains = self.sampler.refresh(energy, memory)
        yield Stage("negatives", f"{len(chains.x)} ladders of replicas are about to move {self.steps} times.", chains.x)
        for i in range(self.steps):
            before = chains.x
            chains, info = yield from self.sampler.stages(energy, chains, rng)
            yield Stage("negatives", f"The coldest replicas moved: {i + 1} of {self.steps}.", chains.x, before)
        terms = yield from contrast(energy, batch.x, chains.x)
        return terms._replace(accept=info.accept), chains
