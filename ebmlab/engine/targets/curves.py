"""Targets that lie along a curve: fine mixtures of normal distributions, so that density and samples are exact."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.mixtures import rounds
from ebmlab.engine.types import Reader, Window
from ebmlab.spec import knob

FINENESS = 1.25
"""Components per spread along a curve; the ripple that remains is 2 exp(-2 π² 1.25²), about 1e-13."""


@TARGETS.register("two-moons")
@dataclass(frozen=True, kw_only=True)
class TwoMoons(Target):
    r"""Two half circles, each reaching into the other.

    .. math:: p(x) = \frac{1}{2n} \sum_{\pm} \sum_{k=1}^{n}
        \mathcal{N}\!\left(x; \pm R \left(\cos t_k - \tfrac{1}{2}, \sin t_k - \tfrac{1}{4}\right), s^2 I\right),
        \qquad t_k = \pi \, \frac{k - 1/2}{n}

    The law is this very mixture, with so many components that it cannot be told from a smooth band: density and
    samples are exact.
    """

    radius: float = knob(2.5, "Radius R of each half circle.", low=0.1, high=50.0, soft=(0.5, 4.0), symbol="R")
    spread: float = knob(
        0.25, "Standard deviation s across the band.", low=0.02, high=5.0, soft=(0.05, 1.0), symbol="s"
    )

    def build(self, read: Reader, window: Window) -> Density:
        n = _components(math.pi * self.radius, self.spread)
        t = math.pi * (np.arange(n) + 0.5) / n
        upper = self.radius * np.stack([np.cos(t) - 0.5, np.sin(t) - 0.25], -1)
        return _band(np.concatenate([upper, -upper]), self.spread)


@TARGETS.register("spirals")
@dataclass(frozen=True, kw_only=True)
class Spirals(Target):
    r"""Two spiral arms that wind about each other.

    .. math:: p(x) = \frac{1}{2n} \sum_{\pm} \sum_{k=1}^{n}
        \mathcal{N}\!\left(x; \pm R \, u_k \left(\cos 2 \pi m u_k, \sin 2 \pi m u_k\right), s^2 I\right)

    The points :math:`u_k \in (0, 1)` are evenly spaced along the arc, m is the number of turns. The law is this very
    mixture, with so many components that it cannot be told from a smooth band: density and samples are exact.
    """

    radius: float = knob(
        4.0, "Distance R of the tips from the centre.", low=0.1, high=50.0, soft=(1.0, 5.0), symbol="R"
    )
    turns: float = knob(1.5, "Turns m of each arm.", low=0.1, high=5.0, symbol="m")
    spread: float = knob(0.2, "Standard deviation s across the arm.", low=0.02, high=5.0, soft=(0.05, 1.0), symbol="s")

    def build(self, read: Reader, window: Window) -> Density:
        arm = _arm(self.radius, self.turns, self.spread, 0.0)
        return _band(np.concatenate([arm, -arm]), self.spread)


@TARGETS.register("swiss-roll")
@dataclass(frozen=True, kw_only=True)
class SwissRoll(Target):
    r"""One arm that rolls up, of even density along its length.

    .. math:: p(x) = \frac{1}{n} \sum_{k=1}^{n}
        \mathcal{N}\!\left(x; R \, u_k \left(\cos 2 \pi m u_k, \sin 2 \pi m u_k\right), s^2 I\right),
        \qquad u_k \in (\tfrac{1}{3}, 1)

    The points :math:`u_k` are evenly spaced along the arc. The law is this very mixture, with so many components that
    it cannot be told from a smooth band: density and samples are exact.
    """

    radius: float = knob(4.5, "Distance R of the tip from the centre.", low=0.1, high=50.0, soft=(1.0, 5.0), symbol="R")
    turns: float = knob(2.25, "Turns m that a whole arm would take.", low=0.1, high=5.0, symbol="m")
    spread: float = knob(0.2, "Standard deviation s across the arm.", low=0.02, high=5.0, soft=(0.05, 1.0), symbol="s")

    def build(self, read: Reader, window: Window) -> Density:
        return _band(_arm(self.radius, self.turns, self.spread, 1 / 3), self.spread)


def _arm(radius: float, turns: float, spread: float, start: float) -> np.ndarray:
    """Returns points evenly spaced along a spiral from a share of its radius to the whole, with shape (n, 2)."""

    u = np.linspace(start, 1, 4097)
    winding = 2 * math.pi * turns
    # The arc length of r = R u at the angle w u is R/2 (u √(1 + w²u²) + asinh(w u) / w).
    length = radius / 2 * (u * np.hypot(1, winding * u) + np.arcsinh(winding * u) / winding)
    n = _components(length[-1] - length[0], spread)
    u = np.interp(length[0] + (length[-1] - length[0]) * (np.arange(n) + 0.5) / n, length, u)
    return radius * u[:, None] * np.stack([np.cos(winding * u), np.sin(winding * u)], -1)


def _components(length: float, spread: float) -> int:
    return min(4096, max(16, math.ceil(FINENESS * length / spread)))


def _band(centres: np.ndarray, spread: float) -> Density:
    return rounds((1.0,) * len(centres), tuple(map(tuple, centres.tolist())), spread)
