"""Weighted particles that climb a ladder together: those of little weight die, those of much have offspring."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.diagnostics import weights_ess
from ebmlab.engine.logz.ladder import look, transitions
from ebmlab.engine.logz.start import Seen, Start, Tempered
from ebmlab.engine.samplers.base import Sampler
from ebmlab.engine.types import Energy, Rng, rand


class Population(NamedTuple):
    """Weighted particles on a rung."""

    beta: float
    seen: Seen  # the points, with the model's energy and gradient there
    gap: Tensor  # (n,), E - E₀ there, float64 on the CPU
    log_w: Tensor  # (n,), weights of which the mean estimates Z_β
    ancestor: Tensor  # (n,), which of the first particles each descends from
    stretch: Tensor  # the factor that shortens their strides
    settled: bool = True  # whether they have moved since they were weighted for this rung

    def resampled(self, rng: Rng) -> Population:
        """Returns as many particles of equal weight, each with about as many offspring as its weight calls for."""

        index = systematic(self.log_w, rand((), rng, self.seen.x).item())
        seen = Seen(*(part[index.to(part.device)] for part in self.seen))
        mean = torch.logsumexp(self.log_w, 0) - math.log(len(index))
        log_w = mean.expand(len(index)).clone()
        return self._replace(seen=seen, gap=self.gap[index], log_w=log_w, ancestor=self.ancestor[index])


class Tempering(NamedTuple):
    """How a population climbs from the broad law to the model."""

    sampler: Sampler
    steps: int  # transitions on each rung
    share: float  # of the particles, that the weights must be worth
    betas: tuple[float, ...] = ()  # the rungs from 0 to 1; none for a schedule that follows the weights
    adapt: bool = True  # whether strides are shortened where few are taken

    def climb(self, energy: Energy, start: Start, x: Tensor, rng: Rng) -> Iterator[Population]:
        """Yields the population on each rung, newly weighted, again after each transition, and then settled.

        It begins settled at x.
        """

        _, seen, gap = look(energy, start, x, 0.0)
        there = Population(0.0, seen, gap, torch.zeros_like(gap), torch.arange(len(x)), x.new_ones(()))
        yield there
        while there.beta < 1:
            there = self._weighted(there, rng)
            yield there
            there = yield from self._moved(there, energy, start, rng)
            yield there

    def _moved(
        self, here: Population, energy: Energy, start: Start, rng: Rng
    ) -> Generator[Population, None, Population]:
        between = Tempered(start, energy, here.beta, stretch=here.stretch)
        for after in transitions(self.sampler, between, here.seen, self.steps, rng):
            x, accept = after
            yield here
        stretch = shortened(here.stretch, accept) if self.adapt else here.stretch
        _, seen, gap = look(energy, start, x, here.beta)
        return here._replace(seen=seen, gap=gap, stretch=stretch, settled=True)

    def _weighted(self, here: Population, rng: Rng) -> Population:
        """Weighs a population for its next rung, and resamples it where the weights are worth too little."""

        beta = next((b for b in self.betas if b > here.beta), 1.0)
        if not self.betas:
            beta = reach(here.log_w, here.gap, here.beta, self.share)
        there = here._replace(beta=beta, log_w=here.log_w - (beta - here.beta) * here.gap, settled=False)
        poor = weights_ess(there.log_w) < self.share * len(here.gap) * (1 + 1e-6)
        return there.resampled(rng) if poor else there


def reach(log_w: Tensor, gap: Tensor, beta: float, share: float) -> float:
    """Returns the farthest inverse temperature at which weights are still worth a share of the particles."""

    def suffices(step: float) -> bool:
        return weights_ess(log_w - step * gap) >= share * len(gap)

    if not bool(gap.isfinite().any()) or suffices(1 - beta):
        return 1.0
    low, high = math.log(LEAST), math.log(1 - beta)
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if suffices(math.exp(middle)) else (low, middle)
    return min(1.0, beta + math.exp(low))


LEAST = 1e-12
"""The least step of the inverse temperature: taken where the weights of some particles vanish at once."""


def shortened(stretch: Tensor, accept: Tensor) -> Tensor:
    """Returns the factor that shortens strides, such that more than half of them are taken.

    Strides never become longer than the sampler says, so a kernel that takes all of them is left as it is.
    """

    return (stretch * (accept.mean().to(stretch) - 0.6).exp()).clamp(max=1.0)


def systematic(log_w: Tensor, u: float) -> Tensor:
    r"""Returns which particle each offspring comes from: systematic resampling with one number u in [0, 1).

    A particle whose share of the weights is W has :math:`\lfloor n W \rfloor` or :math:`\lceil n W \rceil` offspring,
    and n W on average.
    """

    n = len(log_w)
    sums = log_w.softmax(0).cumsum(0)
    return torch.searchsorted(sums, (torch.arange(n, dtype=sums.dtype) + u) / n, right=True).clamp(max=n - 1)


def lineages(log_w: Tensor, ancestor: Tensor) -> Tensor:
    """Returns the weights of all the descendants of each first particle, in logarithms, with shape (n)."""

    top = log_w.max()
    top = torch.where(top.isfinite(), top, 0.0)
    return torch.zeros_like(log_w).index_add(0, ancestor, (log_w - top).exp()).log() + top


def clustered_error(value: Tensor, ancestor: Tensor) -> float:
    r"""Returns the standard error of the mean of values, with shape (n), that depend on each other within clusters.

    .. math:: \operatorname{se}^2 = \frac{1}{n (n - 1)} \sum_g \Bigl( \sum_{i \in g} (v_i - \bar{v}) \Bigr)^2
    """

    n = len(value)
    sums = torch.zeros_like(value).index_add(0, ancestor, value - value.mean())
    return math.sqrt(sums.square().sum().item() / (n * (n - 1)))
