from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LOG_ZS, LogZ, Scene, log_mean
from ebmlab.engine.logz.equilibrium import stuck
from ebmlab.engine.logz.ladder import Counted, Ladder, look, transitions
from ebmlab.engine.logz.multistate import free_energies, standard_error
from ebmlab.engine.logz.population import Population, Tempering, shortened
from ebmlab.engine.logz.start import Seen, Start, Tempered, start_for
from ebmlab.engine.types import Rng, rand
from ebmlab.spec import knob


class Ladders(NamedTuple):
    """Replicas on every rung."""

    start: Start
    energy: Counted
    replicas: list[Population]  # one population to a rung; those with the same index form a ladder


@LOG_ZS.register("mbar")
@dataclass(frozen=True, kw_only=True)
class MultistateBennett(Ladder):
    r"""Multistate Bennett acceptance ratio (MBAR).

    .. math:: f_k = -\log \sum_{n} \frac{\exp(-E_{\beta_k}(x_n))}{\sum_l N_l \exp(f_l - E_{\beta_l}(x_n))},
        \qquad \log \hat{Z} = f_0 - f_K

    Points drawn on every rung are pooled, each weighed against the mixture of all rungs rather than against the one it
    was drawn on; the equations for the free energies f are those of a logistic regression that guesses a point's rung.
    Nothing that weighs these points has a smaller error in the limit. Each rung is sampled by chains, neighbouring
    rungs swap theirs as replicas in parallel tempering do, and the lowest rung is drawn afresh from the broad law
    in every round. A population of tempered particles puts the replicas in place, and the error is that between its
    families: where none of them has found a mode, nor has the estimate.

    References:
        | Statistically optimal analysis of samples from multiple equilibrium states (Shirts & Chodera, 2008)
        | https://doi.org/10.1063/1.2978177
    """

    particles: int = knob(
        64, "Ladders, each with a replica on every rung.", low=2, high=10_000, soft=(16, 512), scale="log"
    )
    rungs: int = knob(12, "Rungs K of the ladder.", low=1, high=200, soft=(2, 40), symbol="K")
    steps: int = knob(2, "Transitions on each rung, in every round.", low=1, high=1000, soft=(1, 20))
    draws: int = knob(16, "Points taken from each replica, one after every round.", low=2, high=10_000, soft=(4, 200))
    burn_in: int = knob(8, "Rounds before the first point.", low=0, high=10_000, soft=(0, 100))
    power: float = knob(
        4.0, "Power γ of the schedule: above 1 most rungs stand near the broad law.", low=0.1, high=10.0, symbol="γ"
    )

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start, energy = start_for(scene, self.width, 1.0), Counted(scene.energy)
        found = LogZ(math.nan, math.inf, 0.0, 0)
        populations: list[Population] = []
        tempering = Tempering(self.sampler, self.steps, 0.5, tuple(self.schedule()))
        for here in tempering.climb(energy, start, start.sample(self.particles, rng), rng):
            populations.extend([here] if here.settled else [])
            yield found._replace(progress=here.beta ** (1 / self.power) / 4, evaluations=energy.evaluations)
        guess = -torch.tensor([log_mean(p.log_w)[0] for p in populations], dtype=torch.float64)
        if bool(guess.isfinite().all()):
            replicas = [p.resampled(rng) for p in populations]
            yield from self._pooled(Ladders(start, energy, replicas), guess, rng)
        else:
            why = "no particle of the broad law has reached the model; take more of them"
            yield found._replace(progress=1.0, evaluations=energy.evaluations, warning=why)

    def _pooled(self, ladders: Ladders, f: Tensor, rng: Rng) -> Iterator[LogZ]:
        """Draws points, round by round, and solves for the free energies from a guess, after every round roughly."""

        betas = torch.tensor(self.schedule(), dtype=torch.float64)
        rows: list[Tensor] = []
        families: list[Tensor] = []
        swaps, moves = torch.zeros(self.rungs, dtype=torch.float64), torch.zeros(self.rungs + 1, dtype=torch.float64)
        total, found = self.burn_in + self.draws, LogZ(math.nan, math.inf, 0.25, 0)
        for k in range(total):
            for i, accept in enumerate(self._moved(ladders, k + 1, rng)):
                moves[i] += accept.item()
                yield found._replace(evaluations=ladders.energy.evaluations)
            swaps += swap(ladders.replicas, k % 2, rng)
            why = stuck(moves.min().item() / (k + 1)) or gaping(swaps / (k + 1))
            found = found._replace(progress=0.25 + 0.7 * (k + 1) / total, warning=why)
            if k >= self.burn_in:
                rows.append(torch.stack([r.gap for r in ladders.replicas]))
                families.append(torch.stack([r.ancestor for r in ladders.replicas]))
                f = next(free_energies(torch.stack(rows), betas, f - f[0]))
                found = found._replace(value=-f[-1].item())
        gap, rough = torch.stack(rows), f
        found = found._replace(evaluations=ladders.energy.evaluations)
        for f in free_energies(gap, betas, rough):
            yield found._replace(value=-f[-1].item())
        stderr = standard_error(gap, betas, f, torch.stack(families))
        yield found._replace(value=-f[-1].item(), stderr=stderr, progress=1.0)

    def _moved(self, ladders: Ladders, number: int, rng: Rng) -> Iterator[Tensor]:
        """Moves the replicas of each rung in place, and yields the share of moves taken there.

        Those on the lowest rung are drawn afresh and begin families; during burn-in, strides learn their length.
        """

        start, energy, replicas = ladders
        for i, here in enumerate(replicas):
            if here.beta == 0:
                x, accept = start.sample(self.particles, rng), here.stretch.new_ones(1)
                here = here._replace(ancestor=torch.arange(self.particles) + number * self.particles)
            else:
                there = Tempered(start, energy, here.beta, stretch=here.stretch)
                *_, (x, accept) = transitions(self.sampler, there, here.seen, self.steps, rng)
            if number <= self.burn_in:
                here = here._replace(stretch=shortened(here.stretch, accept))
            _, seen, gap = look(energy, start, x, here.beta)
            replicas[i] = here._replace(seen=seen, gap=gap)
            yield accept.mean()


def swap(replicas: list[Population], odd: int, rng: Rng) -> Tensor:
    r"""Swaps neighbouring replicas of each ladder, in place, with probability
    :math:`\min(1, \exp(\Delta\beta \, \Delta g))`.

    Only every other pair is swapped, the odd ones or the even. Returns the mean probability of each pair, with shape
    (rungs - 1).
    """

    chances = []
    for i, (low, high) in enumerate(pairwise(list(replicas))):
        gain = (high.beta - low.beta) * (high.gap - low.gap)
        chance = gain.clamp(max=0.0).exp().nan_to_num()
        chances.append(chance.mean())
        if i % 2 == odd:
            here = rand(chance.shape, rng, low.seen.x).cpu() < chance
            replicas[i], replicas[i + 1] = chosen(here, high, low), chosen(here, low, high)
    return torch.stack(chances)


def chosen(swaps: Tensor, other: Population, own: Population) -> Population:
    """Returns the replicas of a rung, of which some are now those of another."""

    there = swaps.to(own.seen.x.device)
    pairs = zip(other.seen, own.seen)
    seen = Seen(*(torch.where(there.view(-1, *[1] * (a.dim() - 1)), a, b) for a, b in pairs))
    gap, ancestor = torch.where(swaps, other.gap, own.gap), torch.where(swaps, other.ancestor, own.ancestor)
    return own._replace(seen=seen, gap=gap, ancestor=ancestor)


def gaping(swaps: Tensor) -> str:
    """Says that two rungs stand too far apart, empty where none do."""

    worst = int(swaps.argmin())
    if swaps[worst] > 0.02:
        return ""
    return f"rungs {worst} and {worst + 1} hardly overlap, with {swaps[worst]:.1%} of swaps accepted; take more rungs"
