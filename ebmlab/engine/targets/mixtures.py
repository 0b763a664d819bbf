from __future__ import annotations

import math
from dataclasses import dataclass

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.targets.gaussian import MixtureDensity, cholesky
from ebmlab.engine.types import Reader, Window
from ebmlab.spec import BadInput, knob

Point = tuple[float, ...]


@TARGETS.register("gaussian-mixture")
@dataclass(frozen=True, kw_only=True)
class GaussianMixture(Target):
    r"""Mixture of normal distributions.

    .. math:: p(x) = \sum_k w_k \, \mathcal{N}(x; \mu_k, \Sigma_k)

    The weights need not sum to one: each counts by its share.
    """

    weights: tuple[float, ...] = knob((0.5, 0.3, 0.2), "Weight w of each component.", shape=(-1,), low=0.0, high=1e6)
    means: tuple[Point, ...] = knob(
        ((-2.0, -1.0), (2.0, 0.0), (0.0, 2.5)), "Centre μ of each component.", shape=(-1, -1), low=-1e6, high=1e6
    )
    covariances: tuple[tuple[Point, ...], ...] = knob(
        (((0.6, 0.3), (0.3, 0.6)), ((0.3, 0.0), (0.0, 1.0)), ((0.8, -0.2), (-0.2, 0.2))),
        "Covariance Σ of each component, symmetric and positive definite.",
        shape=(-1, -1, -1),
        low=-1e12,
        high=1e12,
    )

    def validate(self) -> None:
        w, m, c = (len(each) for each in (self.weights, self.means, self.covariances))
        if not w == m == c:
            raise BadInput(f"there are {w} weights, {m} means and {c} covariances; give as many of each", key="weights")
        if sum(self.weights) <= 0:
            raise BadInput("the weights sum to nothing; make one of them positive", key="weights")
        dim = len(self.means[0])
        if any(len(mean) != dim for mean in self.means):
            raise BadInput(f"the means differ in length; give each {dim} numbers", key="means")
        for i, covariance in enumerate(self.covariances):
            cholesky(covariance, dim, f"covariances.{i}")

    def build(self, read: Reader, window: Window) -> Density:
        return MixtureDensity(self.weights, self.means, self.covariances)


@TARGETS.register("two-modes")
@dataclass(frozen=True, kw_only=True)
class TwoModes(Target):
    r"""Two round modes of unequal weight.

    .. math:: p(x) = w \, \mathcal{N}\!\left(x; (-\tfrac{\ell}{2}, 0), s^2 I\right)
        + (1 - w) \, \mathcal{N}\!\left(x; (\tfrac{\ell}{2}, 0), s^2 I\right)

    Far apart, each mode has nearly the same score whatever its weight: what sees only the score cannot tell w.
    """

    weight: float = knob(0.8, "Weight w of the left mode.", low=0.0, high=1.0, symbol="w")
    separation: float = knob(6.0, "Distance ℓ between the centres.", low=0.0, high=100.0, soft=(0.0, 8.0), symbol="ℓ")
    spread: float = knob(0.5, "Standard deviation s of each mode.", low=0.01, high=10.0, soft=(0.1, 2.0), symbol="s")

    def build(self, read: Reader, window: Window) -> Density:
        half = self.separation / 2
        return rounds((self.weight, 1 - self.weight), ((-half, 0.0), (half, 0.0)), self.spread)


@TARGETS.register("eight-gaussians")
@dataclass(frozen=True, kw_only=True)
class EightGaussians(Target):
    r"""Eight round modes on a circle.

    .. math:: p(x) = \frac{1}{8} \sum_{k=0}^{7}
        \mathcal{N}\!\left(x; R \, (\cos \tfrac{\pi k}{4}, \sin \tfrac{\pi k}{4}), s^2 I\right)
    """

    radius: float = knob(3.5, "Radius R of the circle.", low=0.0, high=100.0, soft=(0.5, 5.0), symbol="R")
    spread: float = knob(0.3, "Standard deviation s of each mode.", low=0.01, high=10.0, soft=(0.1, 2.0), symbol="s")

    def build(self, read: Reader, window: Window) -> Density:
        angles = [math.pi * k / 4 for k in range(8)]
        centres = tuple((self.radius * math.cos(a), self.radius * math.sin(a)) for a in angles)
        return rounds((1.0,) * 8, centres, self.spread)


@TARGETS.register("grid-gaussians")
@dataclass(frozen=True, kw_only=True)
class GridGaussians(Target):
    r"""Round modes on a square grid.

    .. math:: p(x) = \frac{1}{m^2} \sum_{i=1}^{m} \sum_{j=1}^{m}
        \mathcal{N}\!\left(x; \left(i - \tfrac{m+1}{2}, \, j - \tfrac{m+1}{2}\right) \ell, \, s^2 I\right)
    """

    side: int = knob(5, "Modes m along each side.", low=1, high=20, soft=(2, 7), symbol="m")
    spacing: float = knob(1.8, "Distance ℓ between neighbours.", low=0.0, high=100.0, soft=(0.5, 4.0), symbol="ℓ")
    spread: float = knob(0.25, "Standard deviation s of each mode.", low=0.01, high=10.0, soft=(0.1, 2.0), symbol="s")

    def build(self, read: Reader, window: Window) -> Density:
        along = [self.spacing * (i - (self.side - 1) / 2) for i in range(self.side)]
        centres = tuple((x, y) for y in along for x in along)
        return rounds((1.0,) * len(centres), centres, self.spread)


def rounds(weights: tuple[float, ...], centres: tuple[Point, ...], spread: float) -> MixtureDensity:
    r"""Returns a mixture in the plane whose components share the covariance :math:`s^2 I`."""

    covariance = ((spread**2, 0.0), (0.0, spread**2))
    return MixtureDensity(weights, centres, (covariance,) * len(centres))
