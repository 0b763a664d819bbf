from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ebmlab.engine.energies.base import ENERGIES, EnergyNet, Normalised, NormalisedNet
from ebmlab.engine.energies.gaussians import PACE, Sum
from ebmlab.engine.types import Rng, randn
from ebmlab.spec import knob

BLANK = 10.0
"""How many bandwidths wide the density is before it has seen any data."""


@ENERGIES.register("kernel-density")
@dataclass(frozen=True, kw_only=True)
class KernelDensity(Normalised):
    r"""Kernel density estimate.

    .. math:: p_h(x) = \frac{1}{n} \sum_{j=1}^{n} \mathcal{N}(x; x_j, h^2 I)

    A Gaussian on each of the last n data points seen. The bandwidth h alone is learnt: each batch is judged before its
    points are taken in, so that its likelihood is a held-out one. Before any data there is one Gaussian, ten
    bandwidths wide, at the origin.

    It needs no network and no thought, and has as many parts as points: nothing is summed up, so the points needed for
    a given error grow exponentially with the dimension. One bandwidth must serve a sharp ridge and a broad plain. On a
    fixed set of training points the batches return, each finds itself among the kernels, and h falls towards 0.

    References:
        | On estimation of a probability density function and mode (Parzen, 1962)
        | https://doi.org/10.1214/aoms/1177704472
        | On the choice of smoothing parameters for Parzen estimators of probability density functions (Duin, 1976)
        | https://doi.org/10.1109/TC.1976.1674577
    """

    points: int = knob(
        512, "Data points n that are kept.", low=1, high=65536, soft=(16, 4096), scale="log", symbol="n", live=False
    )
    bandwidth: float = knob(
        0.3, "Bandwidth h at the start.", low=1e-4, high=1e3, soft=(0.01, 10.0), scale="log", symbol="h", live=False
    )

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return KernelDensityNet(self, dim)


class KernelDensityNet(NormalisedNet):
    """The network of :class:`KernelDensity`.

    Attributes:
        points: A ring of the last points, with shape (n, d).
        count: How many points have been seen, less as many whole rounds as leave the ring full; float like all weights.
    """

    points: Tensor
    count: Tensor

    def __init__(self, spec: KernelDensity, dim: int) -> None:
        super().__init__(spec)
        self.paced_log_bandwidth = nn.Parameter(torch.tensor(math.log(spec.bandwidth) / PACE))
        self.register_buffer("points", torch.zeros(spec.points, dim))
        self.register_buffer("count", torch.zeros(()))

    def log_density(self, x: Tensor) -> Tensor:
        return self._sum().log_density(x)

    def value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self._sum().energy_and_grad(x)

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        u = torch.rand(n, generator=rng, dtype=torch.float64, device=self.points.device)
        x = self.points[(u * self._kept()).long()]
        return x + self._log_width().exp() * randn(x.shape, rng, x)

    @torch.no_grad()
    def observe(self, x: Tensor) -> None:
        n = len(self.points)
        seen = self.count + len(x)
        at = torch.arange(-min(n, len(x)), 0, device=x.device) + seen.long()
        self.points[at % n] = x[-n:].to(self.points)
        self.count.copy_(torch.where(seen < 2 * n, seen, n + seen % n))

    def named_figures(self) -> dict[str, float]:
        return {"h": torch.exp(PACE * self.paced_log_bandwidth).item()}

    def _sum(self) -> Sum:
        kept = self._kept()
        filled = torch.arange(len(self.points), device=kept.device) < kept
        log_weights = torch.where(filled, -kept.log(), -math.inf)
        return Sum(self.points, log_weights, self._log_width().expand(self.points.shape[1]))

    def _kept(self) -> Tensor:
        """Returns how many kernels there are; the one before any data lies at the origin."""

        return self.count.clamp(1, len(self.points))

    def _log_width(self) -> Tensor:
        return PACE * self.paced_log_bandwidth + torch.where(self.count == 0, math.log(BLANK), 0.0)
