from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.targets.base import TARGETS, Density, Held, Target
from ebmlab.engine.types import Reader, Rng, Window
from ebmlab.spec import knob


@TARGETS.register("ring")
@dataclass(frozen=True, kw_only=True)
class Ring(Target):
    r"""Ring about the origin.

    .. math:: p(x) = \frac{1}{Z} \exp\!\left(-\frac{(|x| - R)^2}{2 s^2}\right), \qquad
        Z = 2 \pi \left( s^2 e^{-R^2 / 2 s^2} + R s \sqrt{2 \pi} \; \Phi(R / s) \right)
    """

    radius: float = knob(2.5, "Radius R of the ring.", low=0.0, high=100.0, soft=(0.0, 5.0), symbol="R")
    spread: float = knob(
        0.3, "Standard deviation s across the ring.", low=0.01, high=10.0, soft=(0.05, 2.0), symbol="s"
    )

    def log_z(self) -> float:
        """Returns the logarithm of the integral of the unnormalised density."""

        peak = self.spread**2 * math.exp(-((self.radius / self.spread) ** 2) / 2)
        band = self.radius * self.spread * math.sqrt(2 * math.pi) * _phi(self.radius / self.spread)
        return math.log(2 * math.pi * (peak + band))

    def build(self, read: Reader, window: Window) -> Density:
        return RingDensity(self)


class RingDensity(Density):
    r"""The density of :class:`Ring`.

    Radii are drawn by inverting their distribution function, known in closed form and tabled in float64 at 8192 radii,

    .. math:: F(r) \propto s^2 \left( e^{-R^2 / 2 s^2} - e^{-(r - R)^2 / 2 s^2} \right)
        + R s \sqrt{2 \pi} \left( \Phi\!\left(\tfrac{r - R}{s}\right) - \Phi\!\left(-\tfrac{R}{s}\right) \right)
    """

    def __init__(self, ring: Ring) -> None:
        self.ring = ring
        self._log_z = ring.log_z()
        R, s = ring.radius, ring.spread
        r = torch.linspace(max(0.0, R - 9 * s), R + 9 * s, 8192, dtype=torch.float64)
        z = (r - R) / s
        bell, area = torch.exp(-z.square() / 2), torch.special.ndtr(z)
        cumulative = s**2 * (bell[0] - bell) + R * s * math.sqrt(2 * math.pi) * (area - area[0])
        self._table = Held(cumulative / cumulative[-1], r)

    def log_density(self, x: Tensor) -> Tensor:
        z = (torch.linalg.vector_norm(x, dim=-1) - self.ring.radius) / self.ring.spread
        return -z.square() / 2 - self._log_z

    def sample(self, n: int, rng: Rng) -> Tensor:
        dtype = torch.float32 if rng.device.type == "mps" else torch.float64
        cumulative, radii = self._table.on(rng.device, dtype)
        u, turn = torch.rand(2, n, generator=rng, device=rng.device, dtype=dtype)
        i = torch.searchsorted(cumulative, u, right=True).clamp_(1, len(radii) - 1)
        share = (u - cumulative[i - 1]) / (cumulative[i] - cumulative[i - 1])
        r = torch.lerp(radii[i - 1], radii[i], share)
        angle = 2 * math.pi * turn
        return torch.stack([r * angle.cos(), r * angle.sin()], -1).float()


@TARGETS.register("rings")
@dataclass(frozen=True, kw_only=True)
class Rings(Target):
    r"""Rings about the origin, of equal mass.

    .. math:: p(x) = \frac{1}{m} \sum_{k=1}^{m} \frac{1}{Z_k}
        \exp\!\left(-\frac{(|x| - k R / m)^2}{2 s^2}\right)

    Each :math:`Z_k` is that of a single ring. From one ring to the next leads a barrier that a sampler must cross.
    """

    count: int = knob(3, "Number m of rings.", low=1, high=50, soft=(1, 6), symbol="m")
    radius: float = knob(4.5, "Radius R of the outermost.", low=0.01, high=100.0, soft=(0.5, 6.0), symbol="R")
    spread: float = knob(0.2, "Standard deviation s across a ring.", low=0.01, high=10.0, soft=(0.05, 2.0), symbol="s")

    def build(self, read: Reader, window: Window) -> Density:
        radii = [self.radius * (k + 1) / self.count for k in range(self.count)]
        return RingsDensity([RingDensity(Ring(radius=r, spread=self.spread)) for r in radii])


class RingsDensity(Density):
    """The density of :class:`Rings`."""

    def __init__(self, rings: list[RingDensity]) -> None:
        self._rings = rings

    def log_density(self, x: Tensor) -> Tensor:
        each = torch.stack([ring.log_density(x) for ring in self._rings])
        return torch.logsumexp(each, 0) - math.log(len(self._rings))

    def sample(self, n: int, rng: Rng) -> Tensor:
        each = torch.stack([ring.sample(n, rng) for ring in self._rings])
        k = torch.randint(len(each), (n,), generator=rng, device=rng.device)
        return each[k, torch.arange(n, device=rng.device)]


def _phi(z: float) -> float:
    return math.erfc(-z / math.sqrt(2)) / 2
