"""What a hand leaves on the plane: strokes, sprays and stamps add mass, erasers take it away."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, NamedTuple

import numpy as np

from ebmlab.engine.targets.grid import axes, blur, deposit
from ebmlab.engine.window import Lattice
from ebmlab.spec import Component, Registry, knob

Path = tuple[tuple[float, ...], ...]

REACH = 4.0
"""Radii beyond which a tube counts for nothing."""

DOTS = 6
"""Dots that a spray throws at each point of its path."""


class Patch(NamedTuple):
    """Numbers on part of a lattice."""

    rows: slice
    columns: slice
    values: np.ndarray


class Mark(Component, ABC):
    """Abstract mark of a drawing. Marks act in order on the mass of a lattice, in mass per unit of area."""

    erases: ClassVar[bool] = False

    def act(self, mass: np.ndarray, lattice: Lattice) -> None:
        """Changes the mass, with shape (rows, columns), in place."""

        rows, columns, values = _patch(self, lattice)
        if self.erases:
            mass[rows, columns] *= 1 - values
        else:
            mass[rows, columns] += values

    @abstractmethod
    def patch(self, lattice: Lattice) -> Patch:
        """Computes what the mark adds, or for an eraser the share that it takes away."""


MARKS: Registry[Mark] = Registry("mark")


@MARKS.register("brush")
@dataclass(frozen=True, kw_only=True)
class Brush(Mark):
    r"""A soft stroke.

    .. math:: m(x) \mathrel{+}= a \, e^{-d(x)^2 / 2 r^2}

    Here d is the distance from the path; a stroke that crosses itself does not count twice there.
    """

    path: Path = knob((), "Points that the stroke joins.", shape=(-1, 2), low=-1e6, high=1e6, bulk=True)
    radius: float = knob(0.25, "Softness r of the stroke.", low=0.02, high=1000.0, soft=(0.05, 2.0), symbol="r")
    strength: float = knob(
        1.0, "Mass a per unit of area, on the path.", low=0.0, high=1000.0, soft=(0.0, 2.0), symbol="a"
    )

    def patch(self, lattice: Lattice) -> Patch:
        rows, columns, values = tube(self.path, self.radius, lattice)
        return Patch(rows, columns, self.strength * values)


@MARKS.register("eraser")
@dataclass(frozen=True, kw_only=True)
class Eraser(Mark):
    r"""A stroke that takes mass away.

    .. math:: m(x) \mathrel{\times}= 1 - e^{-d(x)^2 / 2 r^2}
    """

    erases: ClassVar[bool] = True

    path: Path = knob((), "Points that the stroke joins.", shape=(-1, 2), low=-1e6, high=1e6, bulk=True)
    radius: float = knob(0.5, "Softness r of the stroke.", low=0.02, high=1000.0, soft=(0.05, 2.0), symbol="r")

    def patch(self, lattice: Lattice) -> Patch:
        return tube(self.path, self.radius, lattice)


@MARKS.register("spray")
@dataclass(frozen=True, kw_only=True)
class Spray(Mark):
    r"""Small dots scattered about a path.

    .. math:: m(x) \mathrel{+}= a \sum_i e^{-|x - x_i|^2 / 2 \rho^2}, \qquad
        x_i \sim \mathcal{N}(c_{\lceil i / 6 \rceil}, r^2 I), \qquad \rho = \tfrac{r}{5}

    Each point c of the path gets six dots: the slower the hand, the denser the spray. The noise depends on the seed
    alone, so that the dots stay where they are as the path grows.
    """

    path: Path = knob((), "Points that the spray passes.", shape=(-1, 2), low=-1e6, high=1e6, bulk=True)
    radius: float = knob(
        0.5, "Standard deviation r of the dots about the path.", low=0.02, high=1000.0, soft=(0.05, 2.0), symbol="r"
    )
    strength: float = knob(0.5, "Mass a per unit of area, in a dot.", low=0.0, high=1000.0, soft=(0.0, 2.0), symbol="a")
    seed: int = knob(0, "Seed of the dots.", low=0, high=2**31 - 1)

    def patch(self, lattice: Lattice) -> Patch:
        path = np.array(self.path, dtype=np.float64).reshape(-1, 1, 2)
        noise = np.random.default_rng(self.seed).standard_normal((len(path), DOTS, 2))
        dots = (path + self.radius * noise).reshape(-1, 2)
        grain = self.radius / 5
        height = self.strength * 2 * math.pi * grain**2 / lattice.cell
        return crop(height * blur(deposit(dots, lattice), lattice, grain))


@MARKS.register("stamp")
@dataclass(frozen=True, kw_only=True)
class Stamp(Mark):
    r"""A normal distribution of a given mass.

    .. math:: m(x) \mathrel{+}= w \, \mathcal{N}(x; \mu, Q \operatorname{diag}(\sigma_1^2, \sigma_2^2) \, Q^\top)

    Q turns by the angle.
    """

    centre: tuple[float, ...] = knob((0.0, 0.0), "Centre μ.", shape=(2,), low=-1e6, high=1e6)
    sigmas: tuple[float, ...] = knob(
        (0.5, 0.5), "Standard deviations σ along both axes.", shape=(2,), low=0.05, high=1000.0
    )
    angle: float = knob(0.0, "Turn of the first axis from the horizontal, in degrees.", low=-360.0, high=360.0)
    weight: float = knob(1.0, "Mass w.", low=0.0, high=1000.0, soft=(0.0, 2.0), symbol="w")

    def patch(self, lattice: Lattice) -> Patch:
        x, y = axes(lattice)
        turn = math.radians(self.angle)
        dx, dy = x - self.centre[0], y[:, None] - self.centre[1]
        u = (math.cos(turn) * dx + math.sin(turn) * dy) / self.sigmas[0]
        v = (math.cos(turn) * dy - math.sin(turn) * dx) / self.sigmas[1]
        peak = self.weight / (2 * math.pi * self.sigmas[0] * self.sigmas[1])
        return crop(peak * np.exp(-(u**2 + v**2) / 2))


@lru_cache(maxsize=512)
def _patch(mark: Mark, lattice: Lattice) -> Patch:
    """Remembers the marks made before, so that a drawing grows by the cost of its last mark."""

    patch = mark.patch(lattice)
    patch.values.flags.writeable = False
    return patch


def crop(values: np.ndarray) -> Patch:
    """Returns the part of a lattice where values are more than nothing beside the greatest."""

    some = values > 1e-16 * values.max()
    rows, columns = (_extent(some.any(axis)) for axis in (1, 0))
    return Patch(rows, columns, values[rows, columns].copy())


def tube(path: Path, radius: float, lattice: Lattice) -> Patch:
    r"""Returns :math:`e^{-d^2 / 2 r^2}`, with d the distance from a path, on the rectangle within 4 radii of it."""

    points = _thin(path, radius / 8)
    reach = REACH * radius
    x, y = axes(lattice)
    rows, columns = (_span(axis, [p[k] for p in points], reach) for axis, k in ((y, 1), (x, 0)))
    x, y = x[columns], y[rows]
    square = np.full((len(y), len(x)), reach**2)
    for start, end in zip(points, points[1:] or points):
        j, i = (_span(axis, (start[k], end[k]), reach) for axis, k in ((y, 1), (x, 0)))
        near = square[j, i]
        step = end[0] - start[0], end[1] - start[1]
        np.minimum(near, _square_distance(x[i] - start[0], y[j] - start[1], step), out=near)
    values = np.exp(-square / (2 * radius**2))
    values[square >= reach**2] = 0.0
    return Patch(rows, columns, values)


def _square_distance(x: np.ndarray, y: np.ndarray, step: tuple[float, float]) -> np.ndarray:
    """Returns the squared distance of each (x, y) from the segment between the origin and a step."""

    square = np.add.outer(y * y, x * x)
    if (length := step[0] ** 2 + step[1] ** 2) == 0.0:
        return square
    along = np.add.outer(y * (step[1] / length), x * (step[0] / length))
    nearest = np.clip(along, 0.0, 1.0)
    # |p - t s|² = |p|² + |s|² t (t - 2 p·s / |s|²)
    return square + length * nearest * (nearest - 2 * along)


def _span(axis: np.ndarray, values: Sequence[float], reach: float) -> slice:
    """Returns the part of an evenly spaced axis within reach of some values."""

    if not values or not len(axis):
        return slice(0, 0)
    first, spacing = float(axis[0]), float(axis[-1] - axis[0]) / max(1, len(axis) - 1) or 1.0
    low = math.floor((min(values) - reach - first) / spacing)
    high = math.ceil((max(values) + reach - first) / spacing)
    return slice(min(max(low, 0), len(axis)), min(max(high + 1, 0), len(axis)))


def _extent(some: np.ndarray) -> slice:
    (index,) = some.nonzero()
    return slice(int(index[0]), int(index[-1]) + 1) if len(index) else slice(0, 0)


def _thin(path: Path, gap: float) -> list[tuple[float, ...]]:
    """Leaves out points closer to the last one kept than a gap, but never the end."""

    kept = list(path[:1])
    for point in path:
        if math.dist(point, kept[-1]) >= gap:
            kept.append(point)
    return kept if not path or kept[-1] == path[-1] else [*kept, path[-1]]
