from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.calculus import jet
from ebmlab.engine.energies.base import EnergySpec
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@ESTIMATORS.register("ssm")
@dataclass(frozen=True, kw_only=True)
class SlicedScoreMatching(Estimator):
    r"""Sliced score matching.

    .. math:: J = \mathbb{E}_{p} \, \mathbb{E}_v\left[\frac{1}{2} (v \cdot \nabla E_\theta(x))^2
        - v^\top \nabla^2 E_\theta(x) \, v\right], \qquad \mathbb{E}[v v^\top] = I

    Implicit score matching along random directions v, so that one Hessian-vector product serves in place of the trace.
    Variance reduction replaces the first term by its mean, :math:`|\nabla E_\theta|^2 / 2`. The length of v matters:
    with variance reduction and directions of length 1 the trace would count too little by a factor d, so those of the
    sphere have length :math:`\sqrt d`.

    References:
        | Sliced score matching: a scalable approach to density and score estimation (Song et al., 2019)
        | https://arxiv.org/abs/1905.07088
    """

    objective: ClassVar[str] = "sliced score"

    projection: str = knob(
        "rademacher", "How the directions v are drawn.", choices=("gaussian", "rademacher", "sphere"), symbol="v"
    )
    variance_reduction: bool = knob(True, "Whether the squared slope is taken in every direction.")

    def misfit(self, energy: EnergySpec) -> str:
        return "" if energy.smooth else "kinks, as of ReLU or splines, blind score matching to the curvature in them"

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        v = directions(self.projection, batch.x, rng)
        yield Stage("noise", "At each data point a random direction is drawn to look along.", batch.x + v, batch.x)
        yield Stage("data", "At the data the energy becomes flatter and more curved along it.", batch.x)
        _, grad, curvature = jet(energy, batch.x, v)
        square = grad.square().sum(-1) if self.variance_reduction else (v * grad).sum(-1).square()
        loss = (square / 2 - curvature).mean()
        return Terms(loss, value=loss.detach()), None


def directions(projection: str, like: Tensor, rng: Rng) -> Tensor:
    r"""Draws directions v with :math:`\mathbb{E}[v v^\top] = I`, shaped like the points :math:`(n, d)`."""

    if projection == "rademacher":
        return torch.randint(2, like.shape, generator=rng, device=like.device).to(like.dtype) * 2 - 1
    v = randn(like.shape, rng, like)
    return v * (math.sqrt(v.shape[-1]) / v.norm(dim=-1, keepdim=True)) if projection == "sphere" else v
