from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler, accept_all, value
from ebmlab.engine.types import Energy, Rng, Stage, Stages, rand, randn
from ebmlab.spec import knob

SHRINKS = 200
"""Draws from a segment at most; it shrinks at each, so that rounding alone stops a chain from finding the slice."""


class Slice(NamedTuple):
    """The part of a line where the energy lies below a level."""

    x: Tensor  # (n, d), points that the lines go through
    along: Tensor  # (n, d), their directions, of length 1
    level: Tensor  # (n,)

    def at(self, t: Tensor) -> Tensor:
        """Returns the points at distances t along the lines, with shape (n, d)."""

        return self.x + t.unsqueeze(-1) * self.along

    def rows(self, rows: Tensor) -> Slice:
        """Returns some of the lines."""

        return Slice(*(part[rows] for part in self))


@SAMPLERS.register("slice")
@dataclass(frozen=True, kw_only=True)
class SliceSampler(Sampler):
    r"""Slice sampler, stepping out along a line.

    .. math:: y \sim \mathcal{U}(0, e^{-E(x) / \tau}), \qquad
        S = \{t : e^{-E(x + t u) / \tau} > y\}, \qquad x' = x + t u, \quad t \sim \mathcal{U}(S)

    Each chain draws a height under its density and moves to a point of the slice above that height, along a random
    line with direction u. A segment of width w, laid at random over x, steps out until both ends are off the slice,
    or m widths long, the number of steps allowed being shared at random between the ends; points drawn from it that
    are off the slice shrink it. That is exact whatever w and m are, nothing is ever rejected, and no gradient is
    needed; a poor w costs energies only. A gap in the slice wider than the segment is not crossed, and lines know
    nothing of ridges, so that in high dimension a chain diffuses.

    References:
        | Slice sampling (Neal, 2003)
        | https://doi.org/10.1214/aos/1056562461
    """

    apart: ClassVar[bool] = False

    width: float = knob(
        1.0, "Width w of the segment laid first.", low=1e-6, high=1e4, soft=(0.01, 10.0), scale="log", symbol="w"
    )
    widths: int = knob(
        10, "Widths m that the segment spans at most.", low=1, high=10_000, soft=(1, 100), scale="log", symbol="m"
    )
    lines: str = knob(
        "random", "Whether lines point anywhere or along a coordinate, drawn anew.", choices=("random", "coordinate")
    )
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    def init(self, energy: Energy, x: Tensor) -> Chains:
        return Chains(x, value(energy, x))

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        x = chains.x
        level = chains.energy - self.temperature * torch.log1p(-rand(x.shape[:1], rng, x))
        line = Slice(x, self.directions(x, rng), level)

        low, high = self.step_out(energy, line, rng)
        yield Stage("proposal", "Each chain lays a segment over its slice.", line.at(high), line.at(low))

        moved = yield from self.shrink(energy, line, (low, high), chains, rng)
        yield Stage("accepted", "Each chain has found a point of its slice.", moved.x, x)
        return moved, accept_all(x)

    def directions(self, x: Tensor, rng: Rng) -> Tensor:
        """Draws the directions of the lines, with shape (n, d)."""

        if self.lines == "random":
            return torch.nn.functional.normalize(randn(x.shape, rng, x), dim=-1)
        n, d = x.shape
        axis = torch.randint(d, (n, 1), generator=rng, device=x.device)
        return torch.zeros_like(x).scatter_(-1, axis, 1.0)

    def step_out(self, energy: Energy, line: Slice, rng: Rng) -> tuple[Tensor, Tensor]:
        """Returns the ends of segments about the slices, each with shape (n)."""

        n = len(line.x)
        low = -self.width * rand((n,), rng, line.x)
        share = (self.widths * rand((n,), rng, line.x)).floor().clamp(max=self.widths - 1)
        left = torch.cat([share, self.widths - 1 - share])
        ends = torch.cat([low, low + self.width])
        outwards = self.width * torch.cat([-torch.ones_like(low), torch.ones_like(low)])
        both = Slice(*(torch.cat([part, part]) for part in line))

        rows = (left > 0).nonzero().squeeze(-1)
        while len(rows):
            inside = self.inside(energy, both.rows(rows), ends[rows])[0]
            rows = rows[inside]
            ends[rows] += outwards[rows]
            left[rows] -= 1
            rows = rows[left[rows] > 0]
        return ends[:n], ends[n:]

    def shrink(
        self, energy: Energy, line: Slice, ends: tuple[Tensor, Tensor], chains: Chains, rng: Rng
    ) -> Stages[Chains]:
        """Returns chains at points of the slices, drawn from segments that shrink where they miss."""

        (low, high), x, found = ends, chains.x.clone(), chains.energy.clone()
        rows = torch.arange(len(x), device=x.device)
        for _ in range(SHRINKS):
            if not len(rows):
                break
            some = line.rows(rows)
            t = torch.lerp(low[rows], high[rows], rand(rows.shape, rng, x))
            inside, values = self.inside(energy, some, t)
            yield Stage("proposal", "Each chain left draws a point of its segment; a miss cuts it.", some.at(t), some.x)

            x[rows[inside]], found[rows[inside]] = some.at(t)[inside], values[inside]
            rows, t = rows[~inside], t[~inside]
            low[rows] = torch.where(t < 0, t, low[rows])
            high[rows] = torch.where(t < 0, high[rows], t)
        return Chains(x, found)

    def inside(self, energy: Energy, line: Slice, t: Tensor) -> tuple[Tensor, Tensor]:
        """Returns whether points at distances t are on the slice, and their energies; one of -inf is never reached."""

        values = value(energy, line.at(t))
        return (values < line.level) & (values > -torch.inf), values

    def temperature_sampled(self) -> float:
        return self.temperature
