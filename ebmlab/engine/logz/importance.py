from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene, log_mean, weights_warning
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@LOG_ZS.register("importance")
@dataclass(frozen=True, kw_only=True)
class ImportanceSampling(LogZMethod):
    r"""Importance sampling from a broad normal law.

    .. math:: \log \hat{Z} = \log \frac{1}{n} \sum_{i=1}^{n} \frac{\exp(-E(x_i))}{q(x_i)}, \qquad
        x_i \sim q = \mathcal{N}(m, \sigma^2 I)

    :math:`\hat{Z}` is unbiased, so that its logarithm lies below :math:`\log Z` on average. The law must reach wherever
    the model does: where its tails are the lighter, a few weights rule and the error cannot be trusted, which the shape
    k of the weights' tail tells. With the dimension the share of useful points falls exponentially.

    References:
        | Pareto smoothed importance sampling (Vehtari, Simpson, Gelman, Yao & Gabry, 2024)
        | https://arxiv.org/abs/1507.02646
    """

    particles: int = knob(8192, "Points drawn, n.", low=2, high=10_000_000, soft=(256, 65536), scale="log", symbol="n")
    width: float = knob(
        0.0,
        "Standard deviation σ of the law; 0 for half the window's longer side.",
        low=0.0,
        high=1e4,
        soft=(0.0, 20.0),
        symbol="σ",
    )

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start = start_for(scene, self.width, 0.5)
        pieces: list[Tensor] = []
        done = 0
        while done < self.particles:
            x = start.sample(min(1024, self.particles - done), rng)
            with torch.no_grad():
                pieces.append((start(x) - scene.energy(x)).cpu().double())
            done += len(x)
            log_w = torch.cat(pieces)
            yield LogZ(*log_mean(log_w), done / self.particles, done, "lower", weights_warning(log_w))
