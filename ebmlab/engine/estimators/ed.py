from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@ESTIMATORS.register("ed")
@dataclass(frozen=True, kw_only=True)
class EnergyDiscrepancy(Estimator):
    r"""Energy discrepancy.

    .. math:: \mathrm{ED}_t = \mathbb{E}_{p}[E_\theta(x)] - \mathbb{E}_{p, \, y}[E_t(y)], \qquad
        E_t(y) = -\log \int \mathcal{N}(x; y, t I) \, e^{-E_\theta(x)} \, dx, \qquad y = x + \sqrt{t} \, \xi

    .. math:: \widehat{\mathrm{ED}}_t = \frac{1}{n} \sum_i \log \Big( \frac{w}{M} + \frac{1}{M} \sum_{j=1}^{M}
        e^{E_\theta(x_i) - E_\theta(x_{ij})} \Big), \qquad x_{ij} = x_i + \sqrt{t} \, \xi_i + \sqrt{t} \, \xi'_{ij}

    Each data point is blurred and its energy compared with those around where it went; no chain and no gradient in x
    is needed. As t falls, :math:`\mathrm{ED}_t / t` becomes the loss of implicit score matching, blind to the weights
    of far modes; as t grows, the likelihood. It is, up to a constant, the recovery likelihood of
    :math:`\sigma^2 = t`, by importance sampling instead of chains. With M finite the inner average is too noisy to
    see a wide integral: the value is too low, and the more so the larger t, and the learnt energy is biased. The
    weight w keeps the logarithm from running away where no contrast point has a lower energy, at the price of a bias of
    its own.

    References:
        | Energy discrepancies: a score-independent loss for energy-based models (Schröder et al., 2023)
        | https://arxiv.org/abs/2307.06431
    """

    objective: ClassVar[str] = "energy discrepancy"

    t: float = knob(
        1.0, "Variance t of the blur, and of the contrast points.", low=1e-6, high=1e4, soft=(1e-2, 30.0), scale="log"
    )
    samples: int = knob(
        16, "Contrast points M of each data point.", low=1, high=4096, soft=(1, 256), scale="log", symbol="M"
    )
    w: float = knob(1.0, "Weight w that tames the logarithm, worth so many contrast points.", low=0.0, high=1e3)

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        (n, d), m, width = batch.x.shape, self.samples, math.sqrt(self.t)
        blurred = batch.x + width * randn((n, d), rng, batch.x)
        yield Stage("noise", "Each data point is blurred.", blurred, batch.x)
        around = blurred.repeat_interleave(m, 0)
        contrast = around + width * randn((n * m, d), rng, batch.x)
        yield Stage(
            "negatives", f"Around each blurred point {m} others are drawn, to contrast it with.", contrast, around
        )

        at_data, at_contrast = energy(torch.cat([batch.x, contrast])).split([n, n * m])
        gaps = at_data.unsqueeze(1) - at_contrast.view(n, m)
        floor = gaps.new_full((n, 1), self.w).log()
        loss = torch.logsumexp(torch.cat([gaps, floor], 1), 1).mean() - math.log(m)
        return Terms(loss, value=loss.detach()), None
