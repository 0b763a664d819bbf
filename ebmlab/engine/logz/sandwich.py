from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from ebmlab.engine.logz.ais import AIS, weights
from ebmlab.engine.logz.base import Scene, log_mean
from ebmlab.engine.logz.ladder import Counted, Ladder
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.types import Rng
from ebmlab.spec import BadInput


class Slice(NamedTuple):
    """What ladders of a number of rungs say of log Z, from below and from above."""

    rungs: int
    below: float  # mean log weight of the particles that climb: at most log Z on average
    above: float  # that of those that descend, negated: at least log Z on average
    low: float  # log mean weight of those that climb, a closer bound from below
    low_error: float  # its standard error
    high: float  # that of those that descend, negated: a closer bound from above
    high_error: float
    evaluations: int  # energies evaluated for this slice


class Sandwich(NamedTuple):
    """The slices done so far."""

    slices: tuple[Slice, ...]
    progress: float  # in [0, 1]


LADDER = AIS()


def sandwich(
    scene: Scene, rng: Rng, rungs: tuple[int, ...] = (5, 20, 80, 320, 1280), ladder: Ladder = LADDER
) -> Iterator[Sandwich]:
    r"""Closes in on log Z from both sides, by ladders with ever more rungs.

    .. math:: \mathbb{E}[\log w] \le \mathbb{E}[\log \hat{Z}] \le \log Z
        \le \mathbb{E}[\log \hat{Z}'] \le \mathbb{E}[\log w']

    Particles of a broad law climb to the model by annealed importance sampling, exact samples of the model descend by
    its reverse. The inner two hold only for a kernel that leaves every rung invariant, which ULA does not. Each
    ``next`` takes some milliseconds.

    Arguments:
        scene: Where log Z is asked for, with exact samples.
        rng: What draws.
        rungs: The numbers of rungs, one slice each.
        ladder: Whose particles, kernel, broad law and power of the schedule are taken.

    Raises:
        BadInput: If there are no exact samples.

    References:
        | Sandwiching the marginal likelihood using bidirectional Monte Carlo (Grosse, Ghahramani & Adams, 2015)
        | https://arxiv.org/abs/1511.02543
    """

    if scene.exact is None:
        raise BadInput("a sandwich needs exact samples, which only the plane affords; use ais for its lower half")
    start, energy = start_for(scene, ladder.width, 1.0), Counted(scene.energy)
    done: tuple[Slice, ...] = ()
    total, passed = 2 * sum(rungs), 0
    for n in rungs:
        before, betas = energy.evaluations, replace(ladder, rungs=n).schedule()
        ends: list[Tensor] = []
        for path in (betas, betas[::-1]):
            x = (start.sample if path is betas else scene.exact)(ladder.particles, rng).to(scene.like)
            for log_w in weights(ladder, energy, start, x, path, rng):
                passed, last = passed + 1, log_w
                yield Sandwich(done, passed / total)
            ends.append(last)
        done = (*done, _slice(n, ends, energy.evaluations - before))
        yield Sandwich(done, passed / total)


def _slice(rungs: int, ends: list[Tensor], evaluations: int) -> Slice:
    (low, low_error), (high, high_error) = map(log_mean, ends)
    below, above = (log_w.mean().item() for log_w in ends)
    return Slice(rungs, below, -above, low, low_error, -high, high_error, evaluations)
