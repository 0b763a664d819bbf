from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch

from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene
from ebmlab.engine.logz.minima import Minimum, descend, gather, precise
from ebmlab.engine.types import Rng
from ebmlab.engine.window import uniform
from ebmlab.spec import knob

_FEW = 0.1
"""Share of the descents that may go astray, or end where no other did, without a warning."""


@LOG_ZS.register("laplace")
@dataclass(frozen=True, kw_only=True)
class Laplace(LogZMethod):
    r"""Laplace's approximation, summed over the minima.

    .. math:: \log \hat{Z} = \log \sum_k \exp\left(-E(x_k) + \frac{d}{2} \log 2 \pi
        - \frac{1}{2} \log \left|\nabla^2 E(x_k)\right|\right)

    Descents from points spread over the window end in minima :math:`x_k`; about each the energy is replaced by the
    parabola that touches it there. It is exact for a normal law and for narrow ones far apart, and else off by an
    amount that nothing in it tells: it has no standard error. Along a valley, such as a ring, the curvature vanishes
    and the formula goes to infinity. Minima that no descent has found are missing, and their number may grow
    exponentially with the dimension.

    References:
        | Accurate approximations for posterior moments and marginal densities (Tierney & Kadane, 1986)
        | https://doi.org/10.1080/01621459.1986.10478240
    """

    size: ClassVar[str] = "starts"

    starts: int = knob(64, "Descents, from points spread evenly over the window.", low=1, high=1024, scale="log")
    steps: int = knob(200, "Most steps of a descent.", low=1, high=10_000, soft=(20, 1000), scale="log")

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        energy = precise(scene.energy, scene.like)
        x = uniform(scene.window, self.starts, rng, scene.like, scene.dim).to("cpu", torch.float64)
        left, right, bottom, top = scene.window
        evaluations, ends = 0, None
        for i, here in enumerate(descend(energy, x, self.steps, max(right - left, top - bottom) / 4)):
            evaluations, ends = evaluations + self.starts, here
            yield LogZ(math.nan, math.nan, 0.8 * i / self.steps, evaluations)
        assert ends is not None  # a descent is somewhere from the start
        minima: list[Minimum] = []
        for minimum in gather(energy, ends):
            minima.append(minimum)
            evaluations += minimum.evaluations
            seen = sum(m.reached for m in minima)
            if seen < self.starts:
                yield LogZ(total(minima), math.nan, 0.8 + 0.2 * seen / self.starts, evaluations)
        yield LogZ(total(minima), math.nan, 1.0, evaluations, warning=self.judge(minima))

    def judge(self, minima: list[Minimum]) -> str:
        """Says why the sum over minima is not to be trusted, empty if nothing is known against it."""

        if any(m.flat for m in minima):
            return "the energy is flat along some direction at a minimum, where the formula is infinite"
        astray = self.starts - sum(m.reached for m in minima if m.proper)
        if astray > _FEW * self.starts:
            return f"{astray} of {self.starts} descents did not end in a minimum with a curvature"
        alone = sum(m.reached == 1 for m in minima if m.proper)
        if alone > _FEW * self.starts:
            return f"{alone} of {self.starts} descents ended in a minimum that no other found; more must be unseen"
        return ""


def total(minima: list[Minimum]) -> float:
    """Returns the log of the sum over minima, infinite where one of them is flat, NaN where there is none."""

    if any(m.flat for m in minima):
        return math.inf
    terms = [m.log_mass() for m in minima if m.proper]
    return torch.tensor(terms, dtype=torch.float64).logsumexp(0).item() if terms else math.nan
