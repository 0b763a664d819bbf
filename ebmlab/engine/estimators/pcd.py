from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.phases import GAP, contrast, move
from ebmlab.engine.memory import remembered
from ebmlab.engine.samplers.base import Chains, Sampler
from ebmlab.engine.samplers.ula import UnadjustedLangevin
from ebmlab.engine.types import Energy, Rng, Stages, rand
from ebmlab.engine.window import uniform
from ebmlab.spec import knob, part


@remembered
class Persistent(NamedTuple):
    """Chains that live on, with all that their kernel remembers."""

    chains: Chains
    sampler: Sampler  # what has moved them


@ESTIMATORS.register("pcd")
@dataclass(frozen=True, kw_only=True)
class PersistentContrastiveDivergence(Estimator):
    r"""Persistent contrastive divergence (PCD).

    .. math:: \nabla_\theta L = \mathbb{E}_{p}[\nabla_\theta E_\theta(x^+)]
        - \mathbb{E}_{x^-}[\nabla_\theta E_\theta(x^-)]

    The negatives :math:`x^-` go on from where the last step left them, with all that their kernel remembers, such as
    velocities and replicas. A share :math:`\rho` of them starts afresh, uniformly in the window, so that every region
    is visited. The learnt energy is the one whose *discretised* sampler matches the data, fresh chains that have not
    settled included: with ULA on a Gaussian of variance :math:`s^2`, and starts of variance u along each axis, it is

    .. math:: \frac{(1 - r^k) \, v + \rho \, r^k u}{1 - (1 - \rho) \, r^k} = s^2, \qquad r = (1 - \epsilon a)^2, \qquad
        v = \frac{1}{a (1 - \epsilon a / 2)}

    which is :math:`v = s^2` without fresh starts, or where k moves are enough to settle: else the energy is too narrow.

    References:
        | Training restricted Boltzmann machines using approximations to the likelihood gradient (Tieleman, 2008)
        | https://doi.org/10.1145/1390156.1390290
        | Implicit generation and generalization in energy-based models (Du & Mordatch, 2019)
        | https://arxiv.org/abs/1903.08689
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
    restart: float = knob(0.01, "Share of the chains that start afresh at each step.", low=0.0, high=1.0)
    chains: int = knob(0, "Number of chains; 0 for as many as the batch.", low=0, high=65536, soft=(0, 2048))
    sampler: Sampler = part("sampler", UnadjustedLangevin(step_size=0.02), "What moves the negatives.")

    def init(self, energy: Energy, batch: Batch, rng: Rng) -> Persistent:
        x = uniform(batch.window, self.chains or len(batch.x), rng, batch.x, batch.x.shape[-1])
        return Persistent(self.sampler.init(energy, x), self.sampler)

    def stages(self, energy: Energy, batch: Batch, memory: Persistent, rng: Rng) -> Stages[tuple[Terms, Persistent]]:
        n = self.chains or len(batch.x)
        fresh = uniform(batch.window, n, rng, batch.x, batch.x.shape[-1])
        again = rand((n, 1), rng, batch.x) < self.restart

        x = torch.where(again, fresh, torch.cat([memory.chains.x, fresh])[:n])
        if memory.sampler == self.sampler and len(memory.chains.x) == n:
            chains = self.sampler.refresh(energy, memory.chains._replace(x=x))
        else:
            chains = self.sampler.init(energy, x)
        chains, info = yield from move(self.sampler, self.steps, energy, chains, rng)
        terms = yield from contrast(energy, batch.x, chains.x)
        return terms._replace(accept=info.accept), Persistent(chains, self.sampler)
