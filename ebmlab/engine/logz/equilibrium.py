"""Points of the model itself, for the methods that need them: exact where the plane affords it, else from chains."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LogZMethod, Scene, biased
from ebmlab.engine.logz.ladder import at_temperature_one
from ebmlab.engine.logz.population import Tempering
from ebmlab.engine.logz.start import Tempered, start_for
from ebmlab.engine.samplers.base import Sampler
from ebmlab.engine.samplers.mala import MetropolisLangevin
from ebmlab.engine.types import Energy, Rng
from ebmlab.spec import knob, part


class Drawn(NamedTuple):
    """Points of the model, and how far their drawing has come."""

    x: Tensor | None  # (n, d), a point from each chain; None during burn-in
    ancestor: Tensor  # (n,), the cluster each belongs to: those of one cluster depend on each other
    progress: float  # in [0, 1]
    warning: str = ""  # what tells against the chains


@dataclass(frozen=True, kw_only=True)
class FromModel(LogZMethod, ABC):
    """Abstract method that starts from points of the model.

    Where they are not exact, a tempered population finds them, of which each particle then begins a chain.
    """

    from_exact: ClassVar[bool] = True

    particles: int = knob(512, "Chains, n.", low=2, high=100_000, soft=(64, 4096), scale="log", symbol="n")
    draws: int = knob(8, "Points taken from each chain, one after every transition.", low=1, high=10_000, soft=(1, 100))
    exact: bool = knob(True, "Whether the points are drawn exactly, without chains, where the plane allows it.")
    burn_in: int = knob(50, "Transitions of each chain before its first point.", low=0, high=100_000, soft=(0, 1000))
    sampler: Sampler = part("sampler", MetropolisLangevin(step_size=0.3), "What moves the chains.")

    def validate(self) -> None:
        at_temperature_one(self.sampler)

    def caution(self) -> str:
        return "" if self.exact else biased(self.sampler)

    def points(self, scene: Scene, energy: Energy, rng: Rng) -> Iterator[Drawn]:
        """Yields the draws one after the other; exact ones are independent, a chain's are not."""

        if self.exact and scene.exact is not None:
            yield from self._exact_points(scene.exact, scene.like, rng)
            return
        start, tempering = start_for(scene, 0.0, 1.0), Tempering(self.sampler, steps=5, share=0.5)
        for found in tempering.climb(energy, start, start.sample(self.particles, rng), rng):
            yield Drawn(None, found.ancestor, found.beta**0.25 / 2)
        found = found.resampled(rng)
        there = Tempered(start, energy, 1.0, stretch=found.stretch)
        chains, accepted = self.sampler.init(there, found.seen.x / there.scale), 0.0
        total = self.burn_in + self.draws
        for k in range(total):
            chains, info = self.sampler.step(there, chains, rng)
            accepted += info.accept.mean().item()
            x = chains.x * there.scale if k >= self.burn_in else None
            yield Drawn(x, found.ancestor, 0.5 + (k + 1) / total / 2, stuck(accepted / (k + 1)))

    def _exact_points(self, draw: Callable[[int, Rng], Tensor], like: Tensor, rng: Rng) -> Iterator[Drawn]:
        each = torch.arange(self.particles)
        for k in range(self.draws):
            yield Drawn(draw(self.particles, rng).to(like), each, (k + 1) / self.draws)


def stuck(accept: float) -> str:
    """Says that chains hardly move, empty where they do."""

    return "" if accept > 0.05 else f"only {accept:.1%} of the proposals are accepted, so the chains hardly move"
