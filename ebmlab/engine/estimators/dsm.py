from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.calculus import gradient
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import BadInput, knob


@ESTIMATORS.register("dsm")
@dataclass(frozen=True, kw_only=True)
class DenoisingScoreMatching(Estimator):
    r"""Denoising score matching.

    .. math:: J_\sigma = \frac{1}{2} \, \mathbb{E}_{x, e}
        \left| \nabla E_\theta(x + \sigma e) - \frac{e}{\sigma} \right|^2, \qquad e \sim \mathcal{N}(0, I)

    .. math:: \ell = \frac{|e|^2 - d}{2 \sigma^2} - \frac{e \cdot \nabla E_\theta(x)}{\sigma}, \qquad
        \mathbb{E}[\ell] = 0

    The force at a blurred point must undo the blur. What is learnt is the target *blurred* by :math:`\sigma`: on a
    Gaussian of variance :math:`s^2` the precision is :math:`1 / (s^2 + \sigma^2)`. A small :math:`\sigma` blurs less,
    and the variance of the gradient grows as :math:`1 / \sigma^2`. The cure costs a second gradient: ``antithetic``
    averages over :math:`e` and :math:`-e`; ``taylor`` takes away :math:`\ell`, the part of the loss that explodes.

    .. math:: J = \frac{1}{N} \sum_{i=1}^N \sigma_i^2 \, J_{\sigma_i}, \qquad
        \sigma_i = \sigma_{\max} (\sigma / \sigma_{\max})^{\frac{i - 1}{N - 1}}

    With several levels of noise the wide ones join far modes, whose weights the narrow ones cannot see. The energy does
    not know the level, as those of diffusion models do, so it learns a compromise between all the blurred targets, on
    the Gaussian :math:`a = \sum_i \sigma_i^2 / \sum_i \sigma_i^2 (s^2 + \sigma_i^2)`: wider than at
    :math:`\sigma` alone.

    References:
        | A connection between score matching and denoising autoencoders (Vincent, 2011)
        | https://doi.org/10.1162/NECO_a_00142
        | A Wasserstein minimum velocity approach to learning unnormalized models (Wang et al., 2020)
        | https://arxiv.org/abs/2002.07501
        | Generative modeling by estimating gradients of the data distribution (Song & Ermon, 2019)
        | https://arxiv.org/abs/1907.05600
    """

    objective: ClassVar[str] = "denoising score"

    sigma: float = knob(0.3, "Width σ of the noise.", low=1e-3, high=100.0, soft=(0.01, 3.0), scale="log", symbol="σ")
    levels: int = knob(1, "Levels N of the noise; 1 for σ alone.", low=1, high=1000, soft=(1, 20), symbol="N")
    sigma_max: float = knob(
        1.0,
        "Width σ_max of the widest level, where there are several.",
        low=1e-3,
        high=100.0,
        soft=(0.1, 10.0),
        scale="log",
        symbol="σ_max",
    )
    variance_reduction: str = knob(
        "none", "What tames the variance at small σ, for a second gradient.", choices=("none", "antithetic", "taylor")
    )

    def validate(self) -> None:
        if self.levels > 1 and self.sigma_max < self.sigma:
            raise BadInput(f"the levels rise from sigma; give at least its {self.sigma:g}", key="sigma_max")

    def caution(self) -> str:
        return "one energy for several noise levels learns a compromise" if self.levels > 1 else ""

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        e = randn(batch.x.shape, rng, batch.x)
        sigma = self._sigma(batch.x, rng)
        y = batch.x + sigma * e
        yield Stage("noise", "Each data point is blurred by noise, which the force must undo.", y, batch.x)
        each = self._each(energy, batch.x, e, sigma)
        loss = (each * sigma.square().squeeze(-1) if isinstance(sigma, Tensor) else each).mean()
        return Terms(loss, value=loss.detach()), None

    def _sigma(self, x: Tensor, rng: Rng) -> float | Tensor:
        """Returns the level, or one for each point, with shape (n, 1)."""

        if self.levels == 1:
            return self.sigma
        rungs = torch.linspace(0, 1, self.levels, dtype=x.dtype, device=x.device)
        ladder = self.sigma_max * (self.sigma / self.sigma_max) ** rungs
        return ladder[torch.randint(self.levels, (len(x), 1), generator=rng, device=x.device)]

    def _each(self, energy: Energy, x: Tensor, e: Tensor, sigma: float | Tensor) -> Tensor:
        """Returns the loss of each point, with shape (n), or of each of its two copies, with shape (2, n)."""

        step = sigma * e
        if self.variance_reduction == "none":
            return _square(gradient(energy, x + step) - e / sigma)
        if self.variance_reduction == "antithetic":
            both = gradient(energy, torch.cat([x + step, x - step])).view(2, *x.shape)
            return _square(both - torch.stack([e, -e]) / sigma)
        blurred, sharp = gradient(energy, torch.cat([x + step, x])).chunk(2)
        control = (e.square() - 1) / (2 * sigma**2) - e * sharp / sigma
        return _square(blurred - e / sigma) - control.sum(-1)


def _square(x: Tensor) -> Tensor:
    return x.square().sum(-1) / 2
