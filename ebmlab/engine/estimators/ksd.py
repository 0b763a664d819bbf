from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.calculus import gradient
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages
from ebmlab.spec import BadInput, knob

MOST = 1024
"""Points that are paired with each other; a larger batch falls into groups, whose discrepancies are averaged."""


@ESTIMATORS.register("ksd")
@dataclass(frozen=True, kw_only=True)
class KernelSteinDiscrepancy(Estimator):
    r"""Kernel Stein discrepancy.

    .. math:: D = \mathbb{E}_{x, x' \sim p}\left[ s^\top s' \, k + s^\top \nabla_{x'} k + s'^\top \nabla_x k
        + \operatorname{tr} \nabla_x \nabla_{x'} k \right], \qquad s = -\nabla E_\theta(x), \quad s' = -\nabla E_\theta(x')

    .. math:: D = \mathbb{E}_{x, x' \sim p}\left[ \delta(x)^\top \delta(x') \, k(x, x') \right], \qquad
        \delta = s_\theta - s_p

    The score error of the model, smoothed by a kernel of width b and squared: :math:`(1 + |x - x'|^2 / b^2)^{-1/2}` or
    :math:`e^{-|x - x'|^2 / 2 b^2}`. It needs neither :math:`\log Z` nor samples of the model nor a critic, only the
    gradient of the energy at the data, and vanishes only where the model is the target. Over the pairs of a batch, of a
    point with itself excepted, it is unbiased, so that it may be negative. Like all that compares scores it hardly sees
    how far modes share the mass; errors much finer than b average out.

    References:
        | A kernelized Stein discrepancy for goodness-of-fit tests (Liu et al., 2016)
        | https://arxiv.org/abs/1602.03253
        | Minimum Stein discrepancy estimators (Barp et al., 2019)
        | https://arxiv.org/abs/1906.08283
        | Measuring sample quality with kernels (Gorham & Mackey, 2017)
        | https://arxiv.org/abs/1703.01717
    """  # noqa: E501

    objective: ClassVar[str] = "KSD²"

    kernel: str = knob(
        "inverse-multiquadric",
        "How likeness falls with distance.",
        choices=("inverse-multiquadric", "gaussian"),
        symbol="k",
    )
    width: float = knob(0.3, "Width b of the kernel.", low=1e-3, high=100.0, soft=(0.1, 10.0), scale="log", symbol="b")

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        n = len(batch.x)
        if n < 2:
            raise BadInput("the kernel Stein discrepancy pairs data points; give a batch of at least 2")
        yield Stage("data", "At pairs of data points the errors of the force are compared.", batch.x)
        score = -gradient(energy, batch.x)
        groups = zip(batch.x.tensor_split(-(-n // MOST)), score.tensor_split(-(-n // MOST)))
        loss = torch.stack([self.among(x, s) for x, s in groups]).mean()
        return Terms(loss, value=loss.detach()), None

    def among(self, x: Tensor, score: Tensor) -> Tensor:
        r"""Returns the mean over the pairs of different points, given their scores, both with shape (n, d).

        Only two sums over the points hang on the scores, for k depends on the distance alone:

        .. math:: \sum_i s_i \cdot \Big( \sum_j k_{ij} s_j - 4 \sum_j k'_{ij} (x_i - x_j) \Big)
            - \sum_{ij} \big( 2 d \, k'_{ij} + 4 r_{ij}^2 k''_{ij} \big), \qquad r_{ij} = |x_i - x_j|
        """

        n, d = x.shape
        r2 = (x.unsqueeze(1) - x).square().sum(-1)
        k, first, second = (part.fill_diagonal_(0) for part in self.radial(r2))
        push = 4 * (first @ x - first.sum(1, keepdim=True) * x)
        total = (score * (k @ score + push)).sum() - 2 * d * first.sum() - 4 * (r2 * second).sum()
        return total / (n * (n - 1))

    def radial(self, r2: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        r"""Returns k as a function of :math:`|x - x'|^2`, and its first two derivatives."""

        b2 = self.width**2
        if self.kernel == "gaussian":
            k = torch.exp(-r2 / (2 * b2))
            return k, -k / (2 * b2), k / (4 * b2**2)
        k = torch.rsqrt(1 + r2 / b2)
        cube = k * k * k
        return k, cube / (-2 * b2), cube * k * k * (0.75 / b2**2)
