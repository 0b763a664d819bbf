from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.expression import Expression, parse
from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.grid import GridDensity
from ebmlab.engine.types import Energy, Reader, Rng, Window
from ebmlab.engine.window import Lattice, widen
from ebmlab.spec import BadInput, knob

FINE = 1024
"""Nodes along each side of the lattice."""

OTHER = 0.7
"""How many times as many the other one has that must agree with it."""

BORDER = 1e-5
"""Share of the mass that may lie in the outermost twentieth on each side of the doubled window."""

UNRESOLVED = 1e-2
"""Relative difference of Z between the two lattices beyond which the density counts as too sharp for them."""


@TARGETS.register("formula")
@dataclass(frozen=True, kw_only=True)
class FormulaTarget(Target):
    r"""A typed energy, normalised on a lattice.

    .. math:: p(x) = \frac{1}{Z} \exp(-E(x)), \qquad Z = \sum_{g} \exp(-E(g)) \, \Delta

    The lattice g has 1024 by 1024 nodes over the window doubled; the mass must have died out at its border. The density
    is that of the formula itself, samples are drawn from its bilinear interpolation on the lattice.
    """

    expression: str = knob("(x**2 - 4)**2/8 + y**2/2", "Energy E, in x, y, r, theta and the parameters.")
    parameters: tuple[tuple[str, float], ...] = knob((), "Values of the names that the formula uses.", names=True)

    def validate(self) -> None:
        self.parsed()

    def parsed(self) -> Expression:
        return parse(self.expression, tuple(name for name, _ in self.parameters))

    def build(self, read: Reader, window: Window) -> Density:
        formula, values = self.parsed(), dict(self.parameters)
        try:
            return SummedDensity(lambda x: formula(x, values), Lattice(widen(window, 2), FINE, FINE))
        except BadInput as fault:
            raise fault.within("expression") from None


class SummedDensity(Density):
    """The density of an energy that is normalised by summing over a lattice.

    Arguments:
        energy: The energy.
        lattice: Where it is summed, and drawn from by bilinear interpolation.

    Raises:
        BadInput: If it cannot be normalised there.
    """

    def __init__(self, energy: Energy, lattice: Lattice) -> None:
        self._energy = energy
        self._normalise(lattice)

    def _normalise(self, lattice: Lattice) -> None:
        energy = self._energy(lattice.points(torch.float64)).reshape(lattice.rows, lattice.columns)
        lowest = _lowest(energy, lattice)
        weights = torch.exp(lowest - energy)
        z = float(weights.sum()) * lattice.cell
        other = Lattice(lattice.window, int(OTHER * lattice.rows), int(OTHER * lattice.columns))
        again = float(torch.exp(lowest - self._energy(other.points(torch.float64))).sum()) * other.cell
        _check(weights / weights.sum(), again / z)
        self._log_z = math.log(z) - lowest
        self._grid = GridDensity(weights.numpy(), lattice)

    def log_density(self, x: Tensor) -> Tensor:
        return -self._energy(x) - self._log_z

    def sample(self, n: int, rng: Rng) -> Tensor:
        return self._grid.sample(n, rng)


def _lowest(energy: Tensor, lattice: Lattice) -> float:
    """Returns the least energy on the lattice.

    Raises:
        BadInput: If the energy is undefined or unbounded somewhere, or infinite everywhere.
    """

    wrong = energy.isnan() | (energy == -math.inf)
    if wrong.any():
        x, y = lattice.points(torch.float64)[wrong.flatten()][0].tolist()
        raise BadInput(f"the energy is {float(energy[wrong][0])} at x = {x:.3g}, y = {y:.3g}; mend it there")
    lowest = float(energy.min())
    if lowest == math.inf:
        raise BadInput("the energy is infinite everywhere; make it finite somewhere in the window")
    return lowest


def _check(mass: Tensor, ratio: float) -> None:
    """Checks that the mass, which sums to 1, dies out at the border, and that another lattice gives the same Z.

    Raises:
        BadInput: If it does not.
    """

    edge = len(mass) // 20
    border = 1 - float(mass[edge:-edge, edge:-edge].sum())
    if border > BORDER:
        raise BadInput(
            f"{border:.2g} of the mass lies at the border of the doubled window, so that it may have no finite sum; "
            "make the energy grow faster or widen the window"
        )
    if not abs(ratio - 1) < UNRESOLVED:
        raise BadInput("the density is too sharp for the lattice; soften the energy or narrow the window")
