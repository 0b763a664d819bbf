from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.types import Energy, Rng, rand, randn
from ebmlab.spec import knob

_LEFT = math.log(1e-2)
"""Log of the share of Z at which the live points may still stand when the climb ends; it is counted all the same."""

_DEEPEST = 16.0
"""Nats of compression for each dimension, and some more, beyond which the climb is given up."""

_DIE = 0.5
_SHRINKS = 12  # a copy that has found no place by then stays, which is as good a transition
_BORDER, _SOME = 0.98, 1e-3


class Prior(NamedTuple):
    """What points are drawn from, in units of its width about its centre: a normal law, or a box."""

    energy: Energy
    centre: Tensor  # (d,)
    width: float  # the standard deviation, or half a side
    box: bool

    @torch.no_grad()
    def log_likelihood(self, y: Tensor) -> Tensor:
        """Returns exp(-E) over the density of the prior, as a logarithm, in float64 on the CPU, with shape (n)."""

        value = self.energy(self.centre + self.width * y)
        d = y.shape[-1]
        law = d * math.log(2.0) if self.box else y.square().sum(-1) / 2 + d / 2 * math.log(2 * math.pi)
        log_l = (law - value + d * math.log(self.width)).cpu().double()
        return log_l.masked_fill(log_l.isnan(), -math.inf)

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Draws points, with shape (n, d)."""

        shape = (n, len(self.centre))
        return 2 * rand(shape, rng, self.centre) - 1 if self.box else randn(shape, rng, self.centre)

    def chord(self, y: Tensor, way: Tensor, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns the ends, with shape (n) each, between which y + t way may be drawn uniformly in t.

        They are those of the box, or of the ball in which a normal law lies above a height drawn below its own at y.
        """

        if self.box:
            ends = torch.stack([(-1 - y) / way, (1 - y) / way])
            return ends.amin(0).amax(-1), ends.amax(0).amin(-1)
        a, b = way.square().sum(-1), (y * way).sum(-1)
        more = -2 * torch.log1p(-rand(y.shape[:-1], rng, y))
        root = (b.square() + a * more).sqrt()
        return (-b - root) / a, (-b + root) / a


class Climb(NamedTuple):
    """How far the live points have come."""

    y: Tensor  # (n, d), the live points
    log_l: Tensor  # (n,), their likelihoods
    dead: Tensor  # (m, 4): likelihood and mass as logarithms, the part in the variance of log X, whether at the border
    log_x: float  # log of the prior's mass that the live points stand for
    evaluations: int

    @property
    def to_go(self) -> float:
        """The nats of compression that are missing, at the least: at most 0 where the end has come."""

        total = self.masses.logsumexp(0).item()
        return self.log_x + self.log_l.max().item() - total - _LEFT

    @property
    def masses(self) -> Tensor:
        """The log of each point's part in Z, the dead ones first."""

        return torch.cat([self.dead[:, 0] + self.dead[:, 1], self.log_l + self.log_x - math.log(len(self.y))])

    def bury(self) -> tuple[float, Climb]:
        """Lets the lower half die, and whatever is no better; returns the highest of them, and what is left."""

        n = len(self.y)
        low = self.log_l.kthvalue(max(1, int(n * _DIE))).values
        dies = self.log_l <= low
        count = int(dies.sum())
        edge = (self.y.abs().amax(-1) > _BORDER).cpu()[dies].double()
        mass, variance = torch.full_like(edge, self.log_x - math.log(n)), torch.full_like(edge, 1 / (n * (n - count)))
        rows = torch.stack([self.log_l[dies], mass, variance, edge], -1)
        lives = (~dies).nonzero().squeeze(-1).to(self.y.device)
        rest = Climb(
            self.y[lives],
            self.log_l[~dies],
            torch.cat([self.dead, rows]),
            self.log_x + math.log1p(-count / n),
            self.evaluations,
        )
        return low.item(), rest


@LOG_ZS.register("nested")
@dataclass(frozen=True, kw_only=True)
class NestedSampling(LogZMethod):
    r"""Nested sampling.

    .. math:: Z = \int_0^1 L(X) \, dX, \qquad L = \frac{\exp(-E)}{\pi}, \qquad
        X(\lambda) = \int_{L(x) > \lambda} \pi(x) \, dx

    Of n live points from a prior :math:`\pi`, the lower half die, each with a mass :math:`X / n`, and the mass that is
    left shrinks to the share of those that live. Copies of these take their place, moved by hit-and-run within the set
    of greater likelihood. What the live points hold in the end is added. By this rule, that of adaptive multilevel
    splitting, :math:`\hat{Z}` is unbiased, and its logarithm lies below on average.

    .. math:: \operatorname{se} \approx \sqrt{H / n}, \qquad H = \operatorname{KL}(p, \pi)

    The error takes the moves for independent draws: with too few of them, or with modes that lost all their live
    points, it is larger. The mass must rise from the prior by continuous compression, so that a plateau of the energy
    costs accuracy, and the cost grows as :math:`H`, at least in proportion to the dimension.

    References:
        | Nested sampling for general Bayesian computation (Skilling, 2006)
        | https://doi.org/10.1214/06-BA127
        | Unbiasedness of some generalized adaptive multilevel splitting algorithms (Bréhier et al., 2016)
        | https://arxiv.org/abs/1505.02674
    """

    particles: int = knob(256, "Live points n.", low=8, high=100_000, soft=(64, 2048), scale="log", symbol="n")
    moves: int = knob(3, "Moves of a new point for each dimension.", low=1, high=1000, soft=(1, 20), scale="log")
    prior: str = knob("normal", "What the points are drawn from at first.", choices=("normal", "box"))
    width: float = knob(
        0.0,
        "Standard deviation of the normal law, or half a side of the box; 0 for the window's longer side.",
        low=0.0,
        high=1e4,
        soft=(0.0, 20.0),
        symbol="σ",
    )

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start = start_for(scene, self.width, 1.0)
        prior = Prior(scene.energy, start.mean, start.width, self.prior == "box")
        y = prior.sample(self.particles, rng)
        climb = Climb(y, prior.log_likelihood(y), torch.zeros(0, 4, dtype=torch.float64), 0.0, self.particles)
        progress, deepest = 0.0, -_DEEPEST * (scene.dim + 1)
        while climb.to_go > 0 and climb.log_x > deepest and not bool((climb.log_l == climb.log_l[0]).all()):
            progress = max(progress, climb.log_x / (climb.log_x - climb.to_go))
            now = self.report(climb, prior.box)._replace(progress=progress)
            yield now
            low, rest = climb.bury()
            fresh = Copies(rest, self.particles - len(rest.y), rng)
            for i in range(self.moves * scene.dim):
                fresh.move(prior, low, i, rng)
                yield now._replace(evaluations=rest.evaluations + fresh.evaluations)
            climb = fresh.join()
        last = self.report(climb, prior.box)
        if climb.log_x <= deepest:
            last = last._replace(warning=f"there was no end after {-climb.log_x:.0f} nats of compression")
        yield last

    def report(self, climb: Climb, box: bool) -> LogZ:
        masses = climb.masses
        value = masses.logsumexp(0).item()
        if not math.isfinite(value):
            return LogZ(value, math.inf, 1.0, climb.evaluations, "lower", "no point has a likelihood above 0")
        share = (masses - value).exp()
        beyond = 1 - share.cumsum(0)[: len(climb.dead)]
        border = (share[: len(climb.dead)] @ climb.dead[:, 3]).item() if box else 0.0
        warning = f"{border:.2g} of the mass lies at the border of the box; widen it" if border > _SOME else ""
        return LogZ(value, (beyond.square() @ climb.dead[:, 2]).sqrt().item(), 1.0, climb.evaluations, "lower", warning)


class Copies:
    """Copies of points that lived, on their way to where they are as good as independent of them.

    Arguments:
        rest: The points that lived.
        count: How many copies.
        rng: What chooses.
    """

    def __init__(self, rest: Climb, count: int, rng: Rng) -> None:
        self.rest, self.evaluations = rest, 0
        i = torch.randint(len(rest.y), (count,), generator=rng, device=rest.y.device)
        self.y, self.log_l = rest.y[i], rest.log_l[i.cpu()]
        apart = rest.y - rest.y.mean(0)
        covariance = apart.T @ apart / len(apart)
        floor = torch.diag((covariance.diagonal() * 1e-5).clamp(min=1e-12))
        self._shape = torch.linalg.cholesky(covariance + floor).T

    def move(self, prior: Prior, low: float, i: int, rng: Rng) -> None:
        """Moves every copy along a line to where the likelihood is above a level, drawn evenly from all that is there.

        The line has any direction alike, or by turns one that the points' covariance favours. Intervals shrink towards
        the copy until a draw is above the level.
        """

        n, d = self.y.shape
        way = randn((n, d), rng, self.y)
        if i % 2:
            way = way @ self._shape
        here, low_t, high_t = self.y, *prior.chord(self.y, way, rng)
        todo = torch.arange(n, device=here.device)
        for _ in range(_SHRINKS):
            t = torch.lerp(low_t[todo], high_t[todo], rand(todo.shape, rng, here))
            there = here[todo] + t.unsqueeze(-1) * way[todo]
            log_l = prior.log_likelihood(there)
            self.evaluations += len(todo)
            good = log_l > low
            found = good.to(here.device)
            self.y = self.y.index_copy(0, todo[found], there[found])
            self.log_l = self.log_l.index_copy(0, todo[found].cpu(), log_l[good])
            low_t, high_t = low_t.index_copy(0, todo[t < 0], t[t < 0]), high_t.index_copy(0, todo[t >= 0], t[t >= 0])
            todo = todo[~found]
            if not len(todo):
                return

    def join(self) -> Climb:
        """Returns all live points, the copies among them."""

        return self.rest._replace(
            y=torch.cat([self.rest.y, self.y]),
            log_l=torch.cat([self.rest.log_l, self.log_l]),
            evaluations=self.rest.evaluations + self.evaluations,
        )
