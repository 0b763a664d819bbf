from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.samplers.adaptation import Adaptive
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info
from ebmlab.engine.samplers.leapfrog import hamiltonian, leap
from ebmlab.engine.samplers.metropolis import select
from ebmlab.engine.types import Energy, Rng, Stage, Stages, rand, randn
from ebmlab.spec import knob

DIVERGENT = 1000.0
"""The loss of log-weight along a path beyond which the leaps are taken to be unstable."""


class Span(NamedTuple):
    """A stretch of path, as far as its turning can be told: the order in which it was travelled does not matter."""

    first: Tensor  # (n, d), velocity at one end
    last: Tensor  # (n, d), velocity at the other
    total: Tensor  # (n, d), sum of all velocities

    def joined(self, after: Span) -> tuple[Span, Tensor]:
        """Returns the stretch with that which follows it, and whether it, or a half and the next point, turns."""

        both = Span(self.first, after.last, self.total + after.total)
        first = torch.stack([self.first, self.first, self.last])
        last = torch.stack([after.last, after.first, after.last])
        total = torch.stack([both.total, self.total + after.first, self.last + after.total])
        outwards = torch.minimum(torch.linalg.vecdot(total, first), torch.linalg.vecdot(total, last))
        return both, outwards.amin(0) <= 0


class Path(NamedTuple):
    """All that chains have travelled in a transition, and the point that is drawn from it so far."""

    left: tuple[Chains, Tensor]  # the state at the end reached backwards in time
    right: tuple[Chains, Tensor]  # at that reached forwards
    total: Tensor  # (n, d), sum of all velocities
    drawn: Chains
    log_w: Tensor  # (n,), log of the sum of the weights
    start: Tensor  # (n,), the Hamiltonian at the start


class Branch(NamedTuple):
    """As many leaps as the path has had so far, on from one of its ends."""

    end: tuple[Chains, Tensor]
    span: Span
    drawn: Chains
    log_w: Tensor  # (n,)
    whole: Tensor  # (n,), whether it neither turned nor diverged on the way
    accept: Tensor  # (n,), sum of what HMC would accept each of its points with
    leaps: Tensor  # (n,), points that this sum is over


@SAMPLERS.register("nuts")
@dataclass(frozen=True, kw_only=True)
class NoUTurnSampler(Adaptive):
    r"""No-U-turn sampler (NUTS).

    .. math:: v \sim \mathcal{N}(0, \tau I), \qquad
        (x', v') \sim \operatorname{Multinomial}\left( e^{-H(x_i, v_i) / \tau} \right) \;
        \text{over the path}, \qquad H(x, v) = E(x) + \frac{|v|^2}{2}

    .. math:: \text{until} \quad v_- \cdot \sum_i v_i \le 0 \quad \text{or} \quad v_+ \cdot \sum_i v_i \le 0

    HMC that finds the length of its path itself. The path is doubled, forwards or backwards in time at random, until
    its ends :math:`\pm` turn back towards each other; one of its points is then drawn, in favour of the later
    doublings. A doubling that turns within itself is thrown away, which makes the kernel reversible, so that
    :math:`\exp(-E / \tau)` is left invariant whatever the step size. The criterion is the generalised one, tried also
    across the seam of each two halves. A transition takes up to :math:`2^D - 1` gradients, and chains leap together
    until the longest path has ended. What is shown as acceptance is the mean of
    :math:`\min(1, e^{-\Delta H / \tau})` over the path.

    References:
        | The No-U-Turn Sampler: adaptively setting path lengths in Hamiltonian Monte Carlo (Hoffman & Gelman, 2014)
        | https://www.jmlr.org/papers/v15/hoffman14a.html
        | A conceptual introduction to Hamiltonian Monte Carlo (Betancourt, 2017)
        | https://arxiv.org/abs/1701.02434
    """

    apart: ClassVar[bool] = False

    step_size: float = knob(
        0.2, "Step size ε of a leap.", low=1e-6, high=10.0, soft=(1e-3, 1.0), scale="log", symbol="ε"
    )
    doublings: int = knob(5, "Doublings D of a path at most.", low=1, high=16, soft=(1, 10), symbol="D")
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    def moves(self, energy: Energy, chains: Chains, step: float, rng: Rng) -> Stages[tuple[Chains, Info]]:
        x = chains.x
        v = math.sqrt(self.temperature) * randn(x.shape, rng, x)
        path = setting_out(chains, v)
        best, rows = path.drawn, torch.arange(len(x), device=x.device)
        accept, leaps = torch.zeros_like(path.start), torch.zeros_like(path.start)

        for doubling in range(self.doublings):
            path, going, branch = yield from self.double(energy, path, (doubling, step), rng)
            best = put(best, rows, path.drawn)
            accept, leaps = accept.index_add(0, rows, branch.accept), leaps.index_add(0, rows, branch.leaps)
            if not bool(going.any()):
                break
            rows, path = rows[going], some(path, going)

        yield Stage("accepted", "One point of each path is drawn, by its weight.", best.x, x)
        return best, Info(accept / leaps)

    def double(
        self, energy: Energy, path: Path, leaps: tuple[int, float], rng: Rng
    ) -> Stages[tuple[Path, Tensor, Branch]]:
        """Doubles paths, each in a random direction; returns them, which of them may go on, and what was added."""

        doubling, step = leaps
        forwards = rand(path.log_w.shape, rng, path.log_w) < 0.5
        near, far = either(forwards, path.right, path.left), either(forwards, path.left, path.right)
        sign = torch.where(forwards, 1.0, -1.0).to(path.total).unsqueeze(-1)

        branch = yield from self.grow(energy, near, path.start, (2**doubling, step * sign), rng)
        span, turned = Span(far[1], near[1], path.total).joined(branch.span)
        odds = torch.exp(branch.log_w - path.log_w)
        taken = branch.whole & (rand(odds.shape, rng, odds) < odds)

        path = Path(
            left=either(forwards, path.left, branch.end),
            right=either(forwards, branch.end, path.right),
            total=span.total,
            drawn=select(taken, branch.drawn, path.drawn),
            log_w=torch.logaddexp(path.log_w, branch.log_w),
            start=path.start,
        )
        return path, branch.whole & ~turned, branch

    def grow(
        self, energy: Energy, end: tuple[Chains, Tensor], start: Tensor, leaps: tuple[int, Tensor], rng: Rng
    ) -> Stages[Branch]:
        """Travels a number of leaps on from the ends of paths, minding the turns of every dyadic stretch."""

        (n, step), (there, v), drawn = leaps, end, end[0]
        log_w = torch.full_like(start, -torch.inf)
        whole, accept, count = log_w < 0, torch.zeros_like(log_w), torch.zeros_like(log_w)
        spans, left = list[Span](), len(start)
        for i in range(1, n + 1):
            before = there.x
            there, v = leap(energy, there, v, step)
            shown = (there.x, before) if left == len(v) else (there.x[whole], before[whole])
            yield Stage("proposal", f"Paths grow: leap {i} of {n}.", *shown)

            count = count + whole
            weight = (start - hamiltonian(there, v)) / self.temperature
            whole = whole & (weight > -DIVERGENT) & (there.energy > -torch.inf)
            accept = accept + torch.where(whole, weight.clamp(max=0.0).exp(), 0.0)
            log_w = torch.logaddexp(log_w, weight)
            pick = whole & (rand(weight.shape, rng, weight) < torch.exp(weight - log_w))
            drawn = select(pick, there, drawn)

            span = Span(v, v, v)
            for _ in range(trailing_zeros(i)):
                span, turned = spans.pop().joined(span)
                whole = whole & ~turned
            spans.append(span)
            left = int(whole.sum())
            if not left:
                break
        return Branch((there, v), spans[-1], drawn, log_w, whole, accept, count)

    def temperature_sampled(self) -> float:
        return self.temperature

    def stability(self, curvature: float) -> float | None:
        return None if self.adapt else self.step_size * math.sqrt(max(curvature, 0.0)) / 2


def setting_out(chains: Chains, v: Tensor) -> Path:
    """Returns paths of one point; one of infinite energy has no weight, so that a chain there moves away."""

    here, start = Chains(*chains[:3]), hamiltonian(chains, v)
    lost = start == torch.inf
    log_w = torch.zeros_like(start).masked_fill(lost, -torch.inf)
    return Path((here, v), (here, v), v, here, log_w, start.masked_fill(lost, 0.0))


def trailing_zeros(i: int) -> int:
    """Returns how often 2 divides a number: how many stretches of path, each twice the last, end with leap i."""

    return (i & -i).bit_length() - 1


def either(mask: Tensor, one: tuple[Chains, Tensor], other: tuple[Chains, Tensor]) -> tuple[Chains, Tensor]:
    """Returns the first state where a mask is true, the second elsewhere."""

    return select(mask, one[0], other[0]), torch.where(mask.unsqueeze(-1), one[1], other[1])


def some(path: Path, rows: Tensor) -> Path:
    """Returns some of the paths."""

    def of(chains: Chains) -> Chains:
        return Chains(chains.x[rows], chains.energy[rows], chains.grad[rows])

    left, right = ((of(chains), v[rows]) for chains, v in (path.left, path.right))
    return Path(left, right, path.total[rows], of(path.drawn), path.log_w[rows], path.start[rows])


def put(all_of: Chains, rows: Tensor, some_of: Chains) -> Chains:
    """Returns chains of which some have been replaced."""

    pairs = zip(all_of[:3], some_of[:3])
    return Chains(*(whole.index_copy(0, rows, part) for whole, part in pairs))
