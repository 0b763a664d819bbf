from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene
from ebmlab.engine.logz.logistic import Pool, most_likely, overlap_warning, standard_error
from ebmlab.engine.logz.start import Start, start_for
from ebmlab.engine.types import Rng
from ebmlab.spec import BadInput, knob


@LOG_ZS.register("nce")
@dataclass(frozen=True, kw_only=True)
class NoiseContrast(LogZMethod):
    r"""Noise-contrastive estimation with the energy frozen.

    .. math:: \hat{c} = \arg\max_c \; \sum_{x \sim p} \log \sigma(h(x)) + \sum_{y \sim q} \log \sigma(-h(y)), \qquad
        h = -E - c - \log q - \log \nu

    Data are told from noise q, with :math:`\nu` noise points to each, by a logistic regression of which only c is
    free: what training by noise-contrastive estimation would make of :math:`\log Z` if nothing else moved. The data
    stand in for points of the model. So c tends to :math:`\log Z` only where the model fits the target: off it, c is
    a compromise that is wrong by about as much as the model is, and no error shown tells of that. On points of the
    model itself it is bridge sampling. The error is that of the regression, by the sandwich formula.

    References:
        | Noise-contrastive estimation: a new estimation principle for unnormalized statistical models (Gutmann & Hyvärinen, 2010)
        | https://proceedings.mlr.press/v9/gutmann10a.html
        | Equilibrium free energies from nonequilibrium measurements using maximum-likelihood methods (Shirts, Bair, Hooker & Pande, 2003)
        | https://doi.org/10.1103/PhysRevLett.91.140601
    """  # noqa: E501

    size: ClassVar[str] = "points"

    points: int = knob(4096, "Points of data.", low=2, high=1_000_000, soft=(256, 65536), scale="log")
    ratio: int = knob(1, "Noise points ν per point of data.", low=1, high=100, soft=(1, 20), scale="log", symbol="ν")
    width: float = knob(
        0.0,
        "Standard deviation of the noise; 0 for half the window's longer side.",
        low=0.0,
        high=1e4,
        soft=(0.0, 20.0),
        symbol="σ",
    )

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        if scene.data is None:
            raise BadInput("nce tells data from noise and there are no data here; use bridge")
        start = start_for(scene, self.width, 0.5)
        model: list[Tensor] = []
        noise: list[Tensor] = []
        done = 0
        while done < self.points:
            n = min(512, self.points - done)
            model.append(log_ratio(scene, start, scene.data(n, rng).to(scene.like)))
            noise.extend(log_ratio(scene, start, start.sample(n, rng)) for _ in range(self.ratio))
            done += n
            pool = Pool(torch.cat(model).unsqueeze(0), torch.cat(noise), torch.arange(done))
            c, evaluations = most_likely(pool), done * (1 + self.ratio)
            yield LogZ(c, standard_error(pool, c), done / self.points, evaluations, warning=overlap_warning(pool, c))


@torch.no_grad()
def log_ratio(scene: Scene, start: Start, x: Tensor) -> Tensor:
    """Returns -E - log q at points, with shape (n)."""

    return (start(x) - scene.energy(x)).cpu().double()
