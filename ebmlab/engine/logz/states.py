"""The density of states: how it is learnt by random walkers, and what they tell once it is."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.diagnostics import weights_ess
from ebmlab.engine.logz.base import LogZ

_FLAT, _EACH, _MOST = 0.3, 50.0, 3.0
"""The least visits of a bin, next to the mean, in a flat histogram; how many make one; what one step may add."""

_BORDER, _SOME = 0.98, 1e-3
"""Where the border of a box begins, and the share of the mass that may lie there."""


class States(NamedTuple):
    """The density of states: how much of a box has which energy."""

    log_volume: Tensor  # (b,), log of the volume of each bin's set
    energy: Tensor  # (b,), the mean energy there
    variance: Tensor  # (b,), the energy's variance there

    def log_z(self, beta: float) -> float:
        r"""Returns :math:`\log \int \exp(-\beta E)` over the box, for any inverse temperature.

        The energies of a bin count by their mean and variance, so the bins must be narrow next to the temperature.
        """

        return (self.log_volume - beta * self.energy + beta**2 * self.variance / 2).logsumexp(0).item()


class Walkers(NamedTuple):
    """Random walkers that are to visit all energies alike."""

    y: Tensor  # (w, d)
    energy: Tensor  # (w,)
    bin: Tensor  # (w,)


class Learner:
    """What the density of states is learnt by.

    Arguments:
        log_g: The first guess, with shape (b).
    """

    def __init__(self, log_g: Tensor) -> None:
        self.log_g = log_g
        self.late = False  # whether the histogram has been flat often enough
        self._rise, self._time = 0.25, 0.0  # the rise of log g at a visit; visits of each bin
        self._histogram, self._ever = torch.zeros_like(log_g), torch.zeros(len(log_g), dtype=torch.bool)

    def visit(self, bins: Tensor) -> None:
        """Raises log g at the bins that walkers are in, with shape (w)."""

        count = torch.bincount(bins, minlength=len(self.log_g)).double()
        self._ever |= count > 0
        reached = int(self._ever.sum())
        share = min(1.0, reached / len(bins))
        self.log_g += self._rise * (share * count).clamp(max=_MOST)  # or all walkers at once would bury a bin
        self._time += share * len(bins) / reached
        if self.late:
            self._rise = 1 / self._time
            return
        self._histogram += count
        seen = self._histogram[self._ever]
        if seen.mean() > _EACH:
            self._rise /= 2 if seen.min() > _FLAT * seen.mean() else 1
            self._histogram.zero_()
            self.late = self._rise < 1 / self._time


class Tally:
    """What walkers find under weights that no longer change.

    Arguments:
        log_g: The weights, with shape (b).
        walkers: How many there are.
    """

    def __init__(self, log_g: Tensor, walkers: int) -> None:
        self._log_g = log_g - log_g.max()
        self._count, self._finite, self._total, self._square = torch.zeros(4, len(log_g), dtype=torch.float64)
        self._above = torch.full((2, walkers), -math.inf, dtype=torch.float64)  # of all, and of those at the border
        self._below = torch.full((walkers,), -math.inf, dtype=torch.float64)

    def visit(self, here: Walkers) -> None:
        weight = self._log_g[here.bin]
        self._below = torch.logaddexp(self._below, weight)
        border = (here.y.abs().amax(-1) > _BORDER).cpu()
        mass = torch.stack([weight, weight.masked_fill(~border, -math.inf)]) - here.energy
        self._above = torch.logaddexp(self._above, mass)
        finite = here.energy.isfinite()
        energy, place = here.energy[finite], here.bin[finite]
        self._count.index_add_(0, here.bin, torch.ones_like(here.energy))
        self._finite.index_add_(0, place, torch.ones_like(energy))
        self._total.index_add_(0, place, energy)
        self._square.index_add_(0, place, energy.square())

    def estimate(self, log_volume: float) -> LogZ:
        """Returns log Z by the ratio of the walkers' sums, and the error by how much the walkers differ."""

        above, border = self._above.logsumexp(-1).tolist()
        below = self._below.logsumexp(0).item()
        if not math.isfinite(above):
            return LogZ(above, math.inf, 0.0, 0, None, "no walker has found a finite energy")
        n = len(self._below)
        parts = n * ((self._above[0] - above).exp() - (self._below - below).exp())
        share = math.exp(border - above)
        warning = f"{share:.2g} of the mass lies at the border of the box; widen it" if share > _SOME else ""
        worth = weights_ess(self._above[0])
        if worth < n / 4:
            warning = f"{n} walkers are worth {worth:.0f}: they have not travelled enough, so the error is too small"
        return LogZ(log_volume + above - below, parts.std().item() / math.sqrt(n), 0.0, 0, None, warning)

    def states(self, log_volume: float) -> States:
        """Returns the density of states, of the bins that have been visited at a finite energy."""

        kept = self._finite > 0
        below = (self._log_g + self._count.log()).logsumexp(0)
        volume = log_volume + self._log_g[kept] + self._finite[kept].log() - below
        energy = self._total[kept] / self._finite[kept]
        variance = (self._square[kept] / self._finite[kept] - energy.square()).clamp(min=0.0)
        return States(volume, energy, variance)
