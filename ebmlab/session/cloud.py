from __future__ import annotations

from collections import deque

import torch
from torch import Tensor

from ebmlab.engine.diagnostics import health
from ebmlab.engine.oracle import Evaluation
from ebmlab.engine.reference import Reference
from ebmlab.engine.samplers import Chains, Info, Sampler
from ebmlab.engine.types import Energy, Rng, Stages, Window, finish
from ebmlab.engine.window import uniform, widen
from ebmlab.session.snapshot import Health

CHAINS = 64
"""How many of the particles are kept track of for the diagnostics."""
DRAWS = 128
"""How many of their latest positions."""


class Cloud:
    """The particles on the screen: chains that the recipe's sampler moves over the energy as it is now.

    Training never sees them, and they never draw from training's streams.
    """

    def __init__(self, window: Window, like: Tensor) -> None:
        self.x = like.new_empty(0, 2)
        self.info: Info | None = None
        self._chains: Chains | None = None  # as the sampler left them; None where they must start anew
        self._window = window
        self._draws: deque[Tensor] = deque(maxlen=DRAWS)

    def drift(self, sampler: Sampler, energy: Energy, n: int, rng: Rng) -> None:
        """Moves n particles once."""

        finish(self.stages(sampler, energy, n, rng))

    def stages(self, sampler: Sampler, energy: Energy, n: int, rng: Rng) -> Stages[None]:
        """Moves n particles once, pausing at each stage; ones that are new, or flew off, start uniformly in the window.

        They are where they were until the last stage is over.
        """

        ready = self._ready(sampler, energy, n, rng)
        self.x = ready.x
        chains, self.info = yield from sampler.stages(energy, ready, rng)
        lost = ~self._near(chains.x)
        self.x = torch.where(lost[:, None], uniform(self._window, n, rng, chains.x), chains.x)
        self._chains = None if bool(lost.any()) else chains
        self._draws.append(self.x[:CHAINS])

    def draws(self) -> Tensor:
        """Returns the latest positions of some chains, with shape (chains, draws, 2)."""

        full = [x for x in self._draws if len(x) == min(CHAINS, len(self.x))]
        return torch.stack(full, 1) if full else self.x.new_empty(0, 0, 2)

    def forget(self) -> None:
        """Starts the chains anew where they are, after the sampler or the target has changed."""

        self._draws.clear()
        self._chains = None

    def _ready(self, sampler: Sampler, energy: Energy, n: int, rng: Rng) -> Chains:
        if self._chains is None or len(self.x) != n:
            return sampler.init(energy, self._resized(n, rng))
        return sampler.refresh(energy, self._chains)

    def _resized(self, n: int, rng: Rng) -> Tensor:
        missing = n - len(self.x)
        if missing <= 0:
            return self.x[:n]
        return torch.cat([self.x, uniform(self._window, missing, rng, self.x)])

    def _near(self, x: Tensor) -> Tensor:
        """Returns which particles are within a hundred windows; the comparison is false for what is not finite."""

        left, right, bottom, top = widen(self._window, 100.0)
        return (x[:, 0] > left) & (x[:, 0] < right) & (x[:, 1] > bottom) & (x[:, 1] < top)


def examine(cloud: Cloud, sampler: Sampler, target: Reference | None, figures: Evaluation | None) -> Health:
    """Returns how the chains fare, as far as can be said from the draws and exact figures that there are."""

    draws = cloud.draws()
    r_hat = ess = None
    if len(draws) >= 2 and draws.shape[1] >= 16:
        seen = health(draws)
        r_hat, ess = float(seen.rhat.max()), float(seen.bulk.min())
    curvature = figures.curvature if figures else None
    return Health(
        accept=None if cloud.info is None else cloud.info.accept.mean().item(),
        swaps=() if cloud.info is None or cloud.info.swaps is None else tuple(cloud.info.swaps.tolist()),
        r_hat=r_hat,
        ess=ess,
        draws=draws.shape[0] * draws.shape[1],
        occupancy=_occupancy(cloud.x, target),
        stability=None if curvature is None else sampler.stability(max(curvature, 0.0)),
    )


def _occupancy(x: Tensor, target: Reference | None) -> tuple[float, ...]:
    """Returns the share of the particles in the basin of each mode."""

    if target is None or not len(x):
        return ()
    counts = torch.bincount(target.basins.of(x), minlength=len(target.basins.peaks))
    return tuple((counts / len(x)).tolist())
