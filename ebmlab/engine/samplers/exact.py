from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine import tent
from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.memory import remembered
from ebmlab.engine.samplers.base import SAMPLERS, Chains, Info, Sampler, accept_all
from ebmlab.engine.types import Energy, Rng, Stage, Stages, chunks
from ebmlab.engine.window import Lattice
from ebmlab.spec import BadInput, knob


@remembered
class Table(NamedTuple):
    """What the draws are looked up in."""

    points: Tensor  # (m, 2)
    sums: Tensor  # (m,), cumulative masses


@SAMPLERS.register("exact")
@dataclass(frozen=True, kw_only=True)
class ExactSampler(Sampler):
    r"""Exact sampler on a lattice.

    .. math:: p(x) \propto \sum_g e^{-E(g) / \tau} \prod_{i} \left(1 - \frac{|x_i - g_i|}{h}\right)_+

    Draws independent points from the bilinear interpolant of :math:`\exp(-E / \tau)`, by inverting the cumulative sum
    over a square lattice of spacing h about the origin: no chain, no burn-in, nothing to mix. It is the referee of
    the others. The lattice is evaluated when the chains start. Interpolation adds :math:`h^2 / 6` to the variance
    along each axis, and mass outside the square is not seen. It needs a plane: in d dimensions the lattice has
    :math:`k^d` points.

    References:
        | Non-uniform random variate generation (Devroye, 1986)
        | http://luc.devroye.org/rnbookindex.html
    """

    invariant: ClassVar[bool] = False  # the interpolation widens it, which adds up over the rungs of a ladder
    apart: ClassVar[bool] = False

    half_width: float = knob(12.0, "Half the side of the square.", low=1e-3, high=1e6, soft=(1.0, 50.0), scale="log")
    resolution: int = knob(256, "Points of the lattice along each axis.", low=8, high=2048, soft=(64, 512), scale="log")
    temperature: float = knob(1.0, "Temperature τ of the target.", low=1e-3, high=100.0, soft=(0.1, 4.0), symbol="τ")

    @torch.no_grad()
    def init(self, energy: Energy, x: Tensor) -> Chains:
        if x.shape[-1] != 2:
            raise BadInput(
                f"the exact sampler draws in the plane only, not in {x.shape[-1]} dimensions; choose another"
            )
        w = self.half_width
        points = Lattice((-w, w, -w, w), self.resolution, self.resolution).points(x.dtype, x.device)
        values = torch.cat([energy(piece) for piece in chunks(points)])
        sums = tent.cumulative(-values / self.temperature)
        if sums[-1].isnan():
            raise BadInput("the energy is finite nowhere on the lattice, so nothing can be drawn; change half_width")
        return Chains(x, *value_and_grad(energy, x), extra=Table(points, sums))

    def refresh(self, energy: Energy, chains: Chains) -> Chains:
        return self.init(energy, chains.x)

    def stages(self, energy: Energy, chains: Chains, rng: Rng) -> Stages[tuple[Chains, Info]]:
        points, sums = chains.extra
        h = 2 * self.half_width / self.resolution
        x = tent.draw(points, sums, points.new_tensor([h, h]), len(chains.x), rng)
        yield Stage("proposal", "Every point is drawn afresh; it does not know where the last one was.", x)
        return Chains(x, *value_and_grad(energy, x), chains.extra), accept_all(x)

    def temperature_sampled(self) -> float:
        return self.temperature
