"""Targets that chemistry and physics test samplers on: wells with a barrier between them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.targets.base import TARGETS, Density, Held, Target
from ebmlab.engine.targets.formula import SummedDensity
from ebmlab.engine.types import Reader, Rng, Window
from ebmlab.engine.window import Lattice, widen
from ebmlab.spec import knob


@TARGETS.register("double-well")
@dataclass(frozen=True, kw_only=True)
class DoubleWell(Target):
    r"""Two wells with a barrier between them.

    .. math:: p(x) = \frac{1}{Z} \exp\!\left(-b \left(\frac{x_1^2}{\ell^2} - 1\right)^2 + a \, x_1
        - \frac{x_2^2}{2 s^2}\right)

    Without a tilt, :math:`Z = \ell s \sqrt{2 \pi} \, \tfrac{\pi}{2} e^{-b/2} \left(I_{-1/4}(\tfrac{b}{2})
    + I_{1/4}(\tfrac{b}{2})\right)`. A chain crosses about once in a time that grows as :math:`e^b`.

    References:
        | Brownian motion in a field of force and the diffusion model of chemical reactions (Kramers, 1940)
        | https://doi.org/10.1016/S0031-8914(40)90098-2
    """

    barrier: float = knob(
        4.0, "Height b of the barrier between the wells.", low=0.1, high=30.0, soft=(0.5, 10.0), symbol="b"
    )
    distance: float = knob(
        2.5, "Distance ℓ of each well from the middle.", low=0.01, high=50.0, soft=(0.5, 4.0), symbol="ℓ"
    )
    tilt: float = knob(0.0, "Slope a that favours the right well.", low=-10.0, high=10.0, soft=(-1.0, 1.0), symbol="a")
    spread: float = knob(0.6, "Standard deviation s across.", low=0.01, high=10.0, soft=(0.1, 2.0), symbol="s")

    def build(self, read: Reader, window: Window) -> Density:
        return DoubleWellDensity(self)


class DoubleWellDensity(Density):
    """The density of :class:`DoubleWell`; the first coordinate is drawn by inverting its tabled distribution."""

    def __init__(self, spec: DoubleWell) -> None:
        self._spec = spec
        t = torch.linspace(-1, 1, 65_537, dtype=torch.float64) * self._reach()
        log_terms = -self._well(t)
        log_z = torch.logsumexp(log_terms, 0) + math.log(float(t[1] - t[0]))
        self.log_z = log_z.item() + math.log(spec.spread * math.sqrt(2 * math.pi))
        cumulative = torch.exp(log_terms - torch.logsumexp(log_terms, 0)).cumsum(0)
        inside = (cumulative > 1e-15) & (cumulative < 1 - 1e-15)
        self._table = Held(cumulative[inside], t[inside])

    def log_density(self, x: Tensor) -> Tensor:
        return -self._well(x[..., 0]) - (x[..., 1] / self._spec.spread).square() / 2 - self.log_z

    def sample(self, n: int, rng: Rng) -> Tensor:
        dtype = torch.float32 if rng.device.type == "mps" else torch.float64
        cumulative, places = self._table.on(rng.device, dtype)
        u = torch.rand(n, generator=rng, device=rng.device, dtype=dtype)
        i = torch.searchsorted(cumulative, u, right=True).clamp_(1, len(places) - 1)
        # The cumulative sum belongs to the right edge of each cell, half a spacing beyond its middle.
        share = ((u - cumulative[i - 1]) / (cumulative[i] - cumulative[i - 1])).clamp(0, 1) - 0.5
        first = places[i] + share * (places[1] - places[0])
        across = torch.randn(n, generator=rng, device=rng.device)
        return torch.stack([first.float(), self._spec.spread * across], -1)

    def _reach(self) -> float:
        """Returns the distance beyond which nothing of the density is left."""

        reach = 2 * self._spec.distance
        while True:
            x = torch.linspace(-reach, reach, 1025, dtype=torch.float64)
            energy = self._well(x)
            if torch.minimum(energy[0], energy[-1]) - energy.min() > 50:
                return reach
            reach *= 1.25

    def _well(self, first: Tensor) -> Tensor:
        s = self._spec
        return s.barrier * ((first / s.distance).square() - 1).square() - s.tilt * first


@TARGETS.register("muller-brown")
@dataclass(frozen=True, kw_only=True)
class MullerBrown(Target):
    r"""Müller-Brown surface: three wells along a bent valley.

    .. math:: E(x) = \frac{1}{T} \sum_{k=1}^{4} A_k \exp\!\left(a_k (u - u_k)^2 + b_k (u - u_k)(v - v_k)
        + c_k (v - v_k)^2\right), \qquad (u, v) = \frac{x}{\ell} + \left(-\tfrac{1}{5}, \tfrac{7}{10}\right)

    The constants are those of the paper, whose deepest well lies 106 below the saddle that leads out of it.

    References:
        | Location of saddle points and minimum energy paths by a constrained simplex optimization procedure (Müller & Brown, 1979)
        | https://doi.org/10.1007/BF00547608
    """  # noqa: E501

    temperature: float = knob(
        25.0, "Temperature T in the units of the surface.", low=2.0, high=1000.0, soft=(10.0, 60.0), symbol="T"
    )
    scale: float = knob(
        2.8, "Length ℓ on the screen of one unit of the surface.", low=0.1, high=100.0, soft=(1.0, 5.0), symbol="ℓ"
    )

    def build(self, read: Reader, window: Window) -> Density:
        return SummedDensity(self.energy, Lattice(widen(window, 1.5), NODES, NODES))

    def energy(self, x: Tensor) -> Tensor:
        """Returns E, with shape (*)."""

        height, a, b, c, u0, v0 = (x.new_tensor(row) for row in _SURFACE)
        u, v = (x / self.scale + x.new_tensor(_CENTRE)).unsqueeze(-2).unbind(-1)
        du, dv = u - u0, v - v0
        exponent = a * du.square() + b * du * dv + c * dv.square()
        return (height * exponent.clamp(*_EXPONENTS).exp()).sum(-1) / self.temperature


NODES = 384
"""Nodes along each side of the lattice: its narrowest valley is ten spacings wide."""

_SURFACE = (
    (-200.0, -100.0, -170.0, 15.0),
    (-1.0, -1.0, -6.5, 0.7),
    (0.0, 0.0, 11.0, 0.6),
    (-10.0, -10.0, -6.5, 0.7),
    (1.0, 0.0, -0.5, -1.0),
    (0.0, 0.5, 1.5, 1.0),
)
"""A, a, b, c and the centres u and v of the four terms."""

_CENTRE = (-0.2, 0.7)
_EXPONENTS = (-80.0, 40.0)
"""Between these the exponents stay: below them exp is slow and counts for nothing, above them it overflows."""
