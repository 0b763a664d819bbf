from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.calculus import gradient
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


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

    References:
        | A connection between score matching and denoising autoencoders (Vincent, 2011)
        | https://doi.org/10.1162/NECO_a_00142
        | A Wasserstein minimum velocity approach to learning unnormalized models (Wang et al., 2020)
        | https://arxiv.org/abs/2002.07501
    """

    objective: ClassVar[str] = "denoising score"

    sigma: float = knob(0.3, "Width σ of the noise.", low=1e-3, high=100.0, soft=(0.01, 3.0), scale="log", symbol="σ")
    variance_reduction: str = knob(
        "none", "What tames the variance at small σ, for a second gradient.", choices=("none", "antithetic", "taylor")
    )

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        e = randn(batch.x.shape, rng, batch.x)
        y = batch.x + self.sigma * e
        yield Stage("noise", "Each data point is blurred by noise, which the force must undo.", y, batch.x)
        loss = self._each(energy, batch.x, e).mean()
        return Terms(loss, value=loss.detach()), None

    def _each(self, energy: Energy, x: Tensor, e: Tensor) -> Tensor:
        """Returns the loss of each point, with shape (n), or of each of its two copies, with shape (2n)."""

        step = self.sigma * e
        if self.variance_reduction == "none":
            return self._square(gradient(energy, x + step), e)
        if self.variance_reduction == "antithetic":
            return self._square(gradient(energy, torch.cat([x + step, x - step])), torch.cat([e, -e]))
        blurred, sharp = gradient(energy, torch.cat([x + step, x])).chunk(2)
        control = (e.square() - 1).sum(-1) / (2 * self.sigma**2) - (e * sharp).sum(-1) / self.sigma
        return self._square(blurred, e) - control

    def _square(self, grad: Tensor, e: Tensor) -> Tensor:
        return (grad - e / self.sigma).square().sum(-1) / 2
