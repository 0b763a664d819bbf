from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ebmlab.engine.targets import DoubleWell, Target, TwoMoons
from ebmlab.engine.types import Energy, Reader, Rng, Window
from ebmlab.spec import BadInput, Component, Registry, knob, part

WINDOW: Window = (-6.0, 6.0, -6.0, 6.0)
_TURN = 20261

_FINE = 0.25
"""The spread that most targets of the plane have across their bands."""


class Posed(NamedTuple):
    """A problem in a dimension; all of it float64 on the CPU."""

    energy: Energy
    log_z: float  # exact
    sample: Callable[[int, Rng], Tensor]  # draws n exact points, with shape (n, d)
    finest: float  # the least standard deviation of any feature, which kernels suit their steps to


class NoFiles(Reader):
    """Stands where a target may read files, and refuses."""

    def points(self, path: str) -> np.ndarray:
        raise BadInput("this problem reads no files; choose a target that needs none", key="target")

    def image(self, path: str) -> np.ndarray:
        return self.points(path)

    def text(self, text: str) -> np.ndarray:
        return self.points(text)


@dataclass(frozen=True, kw_only=True)
class Problem(Component, ABC):
    r"""Abstract energy in any dimension whose :math:`\log Z` is known.

    .. math:: E(x) = E_0(R^\top x), \qquad R^\top R = I

    The rotation R, the same in every run, hides from the methods that the energy falls apart into coordinates.
    """

    rotated: bool = knob(True, "Whether a rotation hides the coordinates.")

    @abstractmethod
    def straight(self, dim: int) -> Posed:
        """Returns the problem before it is turned."""

    def pose(self, dim: int) -> Posed:
        """Returns the problem in a dimension.

        Raises:
            BadInput: If it does not exist there.
        """

        posed = self.straight(dim)
        if not self.rotated or dim == 1:
            return posed
        turn = rotation(dim)
        return posed._replace(
            energy=lambda x: posed.energy(x @ turn.to(x)), sample=lambda n, rng: posed.sample(n, rng) @ turn.t()
        )


PROBLEMS: Registry[Problem] = Registry("problem")


@PROBLEMS.register("double-wells")
@dataclass(frozen=True, kw_only=True)
class DoubleWells(Problem):
    r"""Product of double wells, with one well in either direction of every coordinate.

    .. math:: E_0(x) = \sum_i \left( b \left(x_i^2 / \ell^2 - 1\right)^2 \right), \qquad \log Z = d \log Z_1

    The number of modes is :math:`2^d`, and the barrier between neighbours the same in every dimension.
    """

    barrier: float = knob(3.0, "Height b of every barrier.", low=0.1, high=30.0, soft=(0.5, 10.0), symbol="b")
    distance: float = knob(1.5, "Distance ℓ of the wells from the middle.", low=0.1, high=5.0, symbol="ℓ")

    def straight(self, dim: int) -> Posed:
        well = DoubleWell(barrier=self.barrier, distance=self.distance, spread=1.0).build(NoFiles(), WINDOW)

        def energy(x: Tensor) -> Tensor:
            return (self.barrier * ((x / self.distance).square() - 1).square()).sum(-1)

        def sample(n: int, rng: Rng) -> Tensor:
            return well.sample(n * dim, rng)[:, 0].view(n, dim).double()

        origin = torch.zeros(1, 2, dtype=torch.float64)
        # At the origin the first coordinate's energy is b, the second's 0, and its normaliser √(2π).
        one = -well.log_density(origin).item() - self.barrier - math.log(2 * math.pi) / 2
        return Posed(energy, dim * one, sample, self.distance / math.sqrt(8 * self.barrier))


@PROBLEMS.register("gaussian")
@dataclass(frozen=True, kw_only=True)
class Ellipsoid(Problem):
    r"""Normal law whose widths are spread evenly, on the logarithmic scale.

    .. math:: E_0(x) = \sum_i \frac{x_i^2}{2 s_i^2}, \qquad \log Z = \frac{d}{2} \log 2 \pi + \sum_i \log s_i
    """

    least: float = knob(0.5, "Least standard deviation.", low=1e-3, high=10.0, scale="log")
    most: float = knob(1.5, "Greatest standard deviation.", low=1e-3, high=10.0, scale="log")

    def straight(self, dim: int) -> Posed:
        s = torch.logspace(math.log10(self.least), math.log10(self.most), dim, dtype=torch.float64)
        return Posed(
            lambda x: (x / s.to(x)).square().sum(-1) / 2,
            dim / 2 * math.log(2 * math.pi) + s.log().sum().item(),
            lambda n, rng: s * torch.randn(n, dim, generator=rng, dtype=torch.float64),
            self.least,
        )


@PROBLEMS.register("two-modes")
@dataclass(frozen=True, kw_only=True)
class TwoModesInSpace(Problem):
    r"""Two round modes of unequal weight, scaled to any log Z.

    .. math:: e^{-E_0(x)} = w \, \mathcal{N}(x; -m e_1, s^2 I) + (1 - w) \, \mathcal{N}(x; m e_1, s^2 I),
        \qquad \log Z = 0
    """

    weight: float = knob(0.8, "Weight w of the one mode.", low=0.01, high=0.99, symbol="w")
    distance: float = knob(3.0, "Distance m of each mode from the middle.", low=0.0, high=5.0, symbol="m")
    spread: float = knob(0.5, "Standard deviation s of each mode.", low=0.05, high=5.0, symbol="s")

    def straight(self, dim: int) -> Posed:
        centre = torch.zeros(dim, dtype=torch.float64)
        centre[0] = self.distance
        constant = dim * (math.log(self.spread) + math.log(2 * math.pi) / 2)

        def energy(x: Tensor) -> Tensor:
            far = [((x + sign * centre.to(x)) / self.spread).square().sum(-1) / 2 for sign in (1, -1)]
            return constant - torch.logaddexp(math.log(self.weight) - far[0], math.log(1 - self.weight) - far[1])

        def sample(n: int, rng: Rng) -> Tensor:
            side = torch.where(torch.rand(n, 1, generator=rng, dtype=torch.float64) < self.weight, -1.0, 1.0)
            return side * centre + self.spread * torch.randn(n, dim, generator=rng, dtype=torch.float64)

        return Posed(energy, 0.0, sample, self.spread)


@PROBLEMS.register("plane")
@dataclass(frozen=True, kw_only=True)
class PlaneTimesGaussian(Problem):
    r"""A target of the plane in two directions, a standard normal law in all others.

    .. math:: E_0(x) = -\log p(x_1, x_2) + \frac{1}{2} \sum_{i > 2} x_i^2, \qquad \log Z = \frac{d - 2}{2} \log 2 \pi
    """

    target: Target = part("target", TwoMoons(), "The target in the plane; none that reads files.")

    def straight(self, dim: int) -> Posed:
        if dim < 2:
            raise BadInput("a target of the plane needs two dimensions; leave out d = 1", key="dims")
        density = self.target.build(NoFiles(), WINDOW)

        def sample(n: int, rng: Rng) -> Tensor:
            rest = torch.randn(n, dim - 2, generator=rng, dtype=torch.float64)
            return torch.cat([density.sample(n, rng).double(), rest], -1)

        def energy(x: Tensor) -> Tensor:
            return x[..., 2:].square().sum(-1) / 2 - density.log_density(x[..., :2])

        return Posed(energy, (dim - 2) / 2 * math.log(2 * math.pi), sample, _FINE)


def rotation(dim: int) -> Tensor:
    """Returns a rotation, or one with a reflection, the same at every call, with shape (d, d), float64."""

    rng = torch.Generator().manual_seed(_TURN + dim)
    q, r = torch.linalg.qr(torch.randn(dim, dim, generator=rng, dtype=torch.float64))
    return q * r.diagonal().sign()
