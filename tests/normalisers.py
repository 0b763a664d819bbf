"""Energies whose log Z is known in closed form, each with a window that holds it. All of it is float64."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from scipy.special import iv, ndtr

from ebmlab.engine.logz import Scene
from ebmlab.engine.quadrature import lattice_sampler

LIKE = torch.zeros(1, dtype=torch.float64)
WINDOW = (-6.0, 6.0, -6.0, 6.0)


class Known(NamedTuple):
    energy: object
    log_z: float
    window: tuple[float, float, float, float] = WINDOW
    dim: int = 2


def gaussian(dim, scale=1.0, mean=0.0):
    """A normal law whose neighbouring coordinates are correlated."""

    precision = torch.diag(torch.full((dim,), 1.3, dtype=torch.float64))
    precision += 0.4 * (torch.diag(torch.ones(dim - 1, dtype=torch.float64), 1) if dim > 1 else 0)
    precision = (precision + precision.T) / (2 * scale**2)

    def energy(x):
        y = x - mean
        return ((y @ precision.to(y)) * y).sum(-1) / 2

    return Known(energy, dim / 2 * math.log(2 * math.pi) - torch.logdet(precision).item() / 2, dim=dim)


def two_modes(dim=2, log_z=0.0):
    """0.8 N((-3, 0), I/4) + 0.2 N((3, 0), I/4), with any log Z."""

    def energy(x):
        centre = x.new_zeros(x.shape[-1])
        centre[0] = 3.0
        left, right = ((2 * (x + s * centre).square().sum(-1)) for s in (1, -1))
        constant = x.shape[-1] / 2 * math.log(2 * math.pi / 4) - log_z
        return constant - torch.logaddexp(math.log(0.8) - left, math.log(0.2) - right)

    return Known(energy, log_z, dim=dim)


def rosenbrock():
    def energy(x):
        return (1 - x[..., 0]) ** 2 + 100 * (x[..., 1] - x[..., 0] ** 2) ** 2

    return Known(energy, math.log(math.pi / 10), (-2.5, 4.0, -1.0, 12.0))


def ring(radius=2.0, spread=0.3):
    bulk = spread**2 * math.exp(-(radius**2) / (2 * spread**2))
    z = 2 * math.pi * (bulk + radius * spread * math.sqrt(2 * math.pi) * float(ndtr(radius / spread)))
    return Known(lambda x: (x.norm(dim=-1) - radius) ** 2 / (2 * spread**2), math.log(z))


def double_well(dim=2, al=1.0, be=4.0):
    z = be**2 / (8 * al)
    one = math.pi / 2 * math.sqrt(be / (2 * al)) * math.exp(z) * (iv(-0.25, z) + iv(0.25, z))
    return Known(lambda x: (al * x**4 - be * x**2).sum(-1), dim * math.log(one), dim=dim)


def rastrigin(dim=2, a=3.0):
    series = sum(iv(n, a) * math.exp(-((math.pi * n) ** 2)) for n in range(1, 9))
    one = math.sqrt(math.pi) * math.exp(-a) * (iv(0, a) + 2 * series)
    return Known(lambda x: (x**2 + a - a * torch.cos(2 * math.pi * x)).sum(-1), dim * math.log(one), dim=dim)


def laplace(rate=3.0, centre=0.2113):
    """A kink along each axis."""

    return Known(lambda x: rate * (x - centre).abs().sum(-1), 2 * math.log(2 / rate))


def disc(radius=2.03, centre=0.3):
    """A jump along a circle."""

    def energy(x):
        return torch.where((x - centre).norm(dim=-1) < radius, 0.0, torch.inf)

    return Known(energy, math.log(math.pi * radius**2))


def torus(k=2.5):
    """exp(k (cos x + cos y)) on the square of side 2π, behind hard walls."""

    def energy(x):
        return torch.where((x.abs() < math.pi).all(-1), -k * torch.cos(x).sum(-1), torch.inf)

    return Known(energy, 2 * math.log(2 * math.pi * iv(0, k)))


def scene(known, exact=False, like=LIKE):
    """Where log Z of a known energy is asked for."""

    sampler = lattice_sampler(known.energy, known.window, like, 128) if exact else None
    return Scene(known.energy, like, known.window, known.dim, sampler)


def last(method, where, rng):
    """The estimate that a method ends with; the generator may be given by its seed."""

    *_, found = method.run(where, torch.Generator().manual_seed(rng) if isinstance(rng, int) else rng)
    return found


def many(method, where, runs):
    """The values and standard errors of as many independent runs."""

    found = [last(method, where, seed) for seed in range(runs)]
    return (torch.tensor(row, dtype=torch.float64) for row in zip(*((f.value, f.stderr) for f in found)))


SMOOTH = {
    "gaussian": gaussian(2),
    "narrow": gaussian(2, 0.2, torch.tensor([1.234, -0.3])),
    "wide": gaussian(2, 7.0),
    "far": gaussian(2, 3.0, torch.tensor([10.0, -3.0])),
    "two modes": two_modes(log_z=5.0),
    "ring": ring(),
    "double well": double_well(),
    "rastrigin": rastrigin(),
    "line gaussian": gaussian(1),
    "line double well": double_well(1),
    "line rastrigin": rastrigin(1),
}

ROUGH = {"rosenbrock": rosenbrock(), "laplace": laplace(), "disc": disc()}
