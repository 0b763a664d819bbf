from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene
from ebmlab.engine.logz.minima import descend, precise
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.logz.states import Learner, States, Tally, Walkers
from ebmlab.engine.types import Energy, Rng, rand, randn
from ebmlab.spec import BadInput, knob

_STARTS, _STEPS, _PROBES = 32, 60, 4096
"""Descents that look for the lowest energy, their steps, and points that look for the highest."""

_GROWTH = 0.1
"""Width of a bin as a share of its height above the lowest energy, where that is more than the least width."""

_SPAN, _EVERY, _ENOUGH = 300.0, 25, 10


class Box(NamedTuple):
    """Where the walkers walk, in units of half a side about the centre."""

    energy: Energy
    centre: Tensor  # (d,)
    half: float

    @torch.no_grad()
    def __call__(self, y: Tensor) -> Tensor:
        """Returns the energies in float64 on the CPU, infinite outside the box."""

        value = self.energy(self.centre + self.half * y).cpu().double()
        return value.masked_fill((y.abs().amax(-1) > 1).cpu() | value.isnan(), math.inf)

    @property
    def log_volume(self) -> float:
        return len(self.centre) * math.log(2 * self.half)


@LOG_ZS.register("wang-landau")
@dataclass(frozen=True, kw_only=True)
class WangLandau(LogZMethod):
    r"""Wang and Landau's density of states.

    .. math:: Z(\beta) = \int g(u) \, e^{-\beta u} \, du, \qquad g(u) = \int_{\text{box}} \delta(E(x) - u) \, dx

    Walkers in a box step at random and are accepted by :math:`\min(1, g(E) / g(E'))`, so that they visit all bins of
    energy alike; at each visit the bin's :math:`\log g` rises a little, at first by halves whenever the histogram is
    flat, later by 1/t. Then g is held fast, and the walkers' visits weighted by it give

    .. math:: \hat{Z} = V \, \frac{\sum_i g(E_i) \, e^{-E_i}}{\sum_i g(E_i)}

    with V the box's volume. One run knows Z at every temperature. The error is that between walkers, each of which must
    travel from top to bottom and back more than once; what lies outside the box is not counted, and the share of the
    box with low energies, hence the way there, falls exponentially with the dimension.

    References:
        | Efficient, multiple-range random walk algorithm to calculate the density of states (Wang & Landau, 2001)
        | https://doi.org/10.1103/PhysRevLett.86.2050
        | Fast algorithm to calculate density of states (Belardinelli & Pereyra, 2007)
        | https://doi.org/10.1103/PhysRevE.75.046701
    """

    size: ClassVar[str] = "steps"

    particles: int = knob(128, "Walkers.", low=2, high=100_000, soft=(16, 1024), scale="log")
    steps: int = knob(2000, "Steps of each, half of them to learn g.", low=20, high=1_000_000, scale="log")
    spacing: float = knob(0.25, "Least width of a bin of energy.", low=0.01, high=10.0, soft=(0.05, 2.0), scale="log")
    width: float = knob(
        0.0, "Half a side of the box; 0 for the window's longer side.", low=0.0, high=1e4, soft=(0.0, 20.0)
    )

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        for found, _ in self.explore(scene, rng):
            yield found

    def states(self, scene: Scene, rng: Rng) -> States:
        """Returns the density of states that a whole run finds.

        Raises:
            BadInput: If there is no point of the box with a finite energy.
        """

        *_, (_, found) = self.explore(scene, rng)
        if found is None:
            raise BadInput("no point of the box has a finite energy; widen it or choose another energy")
        return found

    def explore(self, scene: Scene, rng: Rng) -> Iterator[tuple[LogZ, States | None]]:
        """Yields ever better estimates of log Z, and the densities of states behind them as soon as there are any."""

        start = start_for(scene, self.width, 1.0)
        box = Box(scene.energy, start.mean, start.width)
        even = 2 * rand((_PROBES, scene.dim), rng, scene.like) - 1
        seen = box(even)
        if not bool(seen.isfinite().any()):
            yield LogZ(-math.inf, math.inf, 1.0, _PROBES, None, "no point of the box has a finite energy"), None
            return
        y = torch.cat([even, sink(box, even, seen)])
        energy = torch.cat([seen, box(y[_PROBES:])])
        spent = 2 * len(y) - _PROBES
        floor = energy.min().item()
        ladder = edges(floor, seen[seen.isfinite()].max().item(), self.spacing)
        bins = torch.bucketize(energy, ladder)
        first = evenly(bins, self.particles, rng)
        here = Walkers(y[first.to(y.device)], energy[first], bins[first])
        yield LogZ(math.nan, math.inf, 0.0, spent), None

        learner = Learner(guess(bins[:_PROBES], ladder - floor, scene.dim))
        half = self.steps // 2
        for step in range(1, half + 1):
            here = walk(box, here, ladder, learner.log_g, rng)
            learner.visit(here.bin)
            if step % _EVERY == 0:
                yield LogZ(math.nan, math.inf, step / self.steps, spent + step * self.particles), None
        tally = Tally(learner.log_g, self.particles)
        for step in range(half + 1, self.steps + 1):
            here = walk(box, here, ladder, learner.log_g, rng)
            tally.visit(here)
            if step % _EVERY == 0 or step == self.steps:
                found = tally.estimate(box.log_volume)
                if not learner.late:
                    found = found._replace(warning="the walkers have not visited all energies alike; give more steps")
                found = found._replace(progress=step / self.steps, evaluations=spent + step * self.particles)
                yield found, tally.states(box.log_volume)


def sink(box: Box, y: Tensor, seen: Tensor) -> Tensor:
    """Returns all places in the box that descents from some points come by."""

    start = y[seen.isfinite().to(y.device)][:_STARTS]
    x = (box.centre + box.half * start).to("cpu", torch.float64)
    path = [found.x for found in descend(precise(box.energy, y), x, _STEPS, box.half / 2)]
    return ((torch.cat(path).to(y) - box.centre) / box.half).clamp(-1, 1)


def evenly(bins: Tensor, n: int, rng: Rng) -> Tensor:
    """Chooses n points, by their numbers, so that all bins that have any have about as many."""

    weights = 1 / torch.bincount(bins).double()[bins]
    return torch.multinomial(weights.to(rng.device, torch.float32), n, replacement=True, generator=rng).cpu()


def guess(bins: Tensor, heights: Tensor, dim: int) -> Tensor:
    r"""Returns a first log g, with shape (b): the share of even draws, and below them that of a parabola.

    Below a height h above its lowest point a parabola has a volume in proportion to :math:`h^{d/2}`.

    Arguments:
        bins: The bins of points drawn evenly.
        heights: Where bins meet, above the lowest energy.
        dim: The dimension d.
    """

    count = torch.bincount(bins, minlength=len(heights) + 1).double()
    low = int((count >= _ENOUGH).int().argmax())
    log_g = count.clamp(min=1.0).log()
    power = dim / 2 * heights[: low + 1].log()
    shells = power + torch.log1p(-torch.cat([power.new_zeros(1), (power[:-1] - power[1:]).exp()]))
    below = shells[:low] - shells[low] if low < len(heights) else shells[:low] - shells[low - 1]
    log_g[:low] = below + log_g[low]
    return log_g


def edges(floor: float, ceiling: float, spacing: float) -> Tensor:
    """Returns where bins of energy meet, from the lowest energy up: evenly at first, then ever wider."""

    heights = [spacing]
    while floor + heights[-1] < ceiling:
        heights.append(heights[-1] + max(spacing, _GROWTH * heights[-1]))
    return floor + torch.tensor(heights, dtype=torch.float64)


def walk(box: Box, here: Walkers, ladder: Tensor, log_g: Tensor, rng: Rng) -> Walkers:
    """Moves every walker once, by a step of any size from a share of the box to all of it."""

    n, d = here.y.shape
    size = _SPAN ** -rand((n, 1), rng, here.y) / math.sqrt(d)
    y = here.y + size * randn((n, d), rng, here.y)
    energy = box(y)
    there = torch.bucketize(energy, ladder)
    chance = (log_g[here.bin] - log_g[there]).exp()
    moves = (rand((n,), rng, here.y).cpu().double() < chance) & (y.abs().amax(-1) <= 1).cpu()
    column = moves.unsqueeze(-1).to(y.device)
    return Walkers(
        torch.where(column, y, here.y), torch.where(moves, energy, here.energy), torch.where(moves, there, here.bin)
    )
