from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ebmlab.engine.energies.base import ENERGIES, EnergyNet, Normalised, NormalisedNet
from ebmlab.engine.energies.gaussians import PACE
from ebmlab.engine.flows import HALF_LOG_TAU
from ebmlab.engine.types import Rng, randn
from ebmlab.spec import knob


@ENERGIES.register("mixture-density")
@dataclass(frozen=True, kw_only=True)
class MixtureDensity(Normalised):
    r"""Mixture of Gaussians.

    .. math:: p_\theta(x) = \sum_{j=1}^{K} w_j \, \mathcal{N}(x; m_j, \Sigma_j), \qquad
        \Sigma_j^{-1} = L_j L_j^\top, \qquad w = \operatorname{softmax}(a)

    Weights, means and full covariances are learnt, by the gradient of the likelihood rather than in closed steps. With
    enough components it comes near any density; a ring or an edge takes many, and a component that no data claim
    learns nothing. Its likelihood has no upper bound: on a fixed set of points a component may shrink onto one of them.

    References:
        | Maximum likelihood from incomplete data via the EM algorithm (Dempster, Laird & Rubin, 1977)
        | https://doi.org/10.1111/j.2517-6161.1977.tb01600.x
    """

    size: ClassVar[str] = "components"

    components: int = knob(
        16, "Number of Gaussians K.", low=1, high=4096, soft=(1, 128), scale="log", symbol="K", live=False
    )
    half_width: float = knob(
        4.0, "The means start within this distance of the origin along each axis.", low=1e-3, high=1e3, live=False
    )

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        means = self.half_width * (2 * torch.rand(self.components, dim, generator=rng) - 1)
        width = 2 * self.half_width * self.components ** (-1 / dim)
        return MixtureDensityNet(self, means, width / 2)


class MixtureDensityNet(NormalisedNet):
    """The network of :class:`MixtureDensity`.

    Attributes:
        theta: For each component its logit, its mean, and the lower triangle of its factor, the diagonal of which comes
            first and as logarithms; in units of the pace, with shape (K, 1 + d + d (d + 1) / 2).
    """

    def __init__(self, spec: MixtureDensity, means: Tensor, width: float) -> None:
        super().__init__(spec)
        k, self.dim = means.shape
        diagonal = torch.full_like(means, -math.log(width))
        slant = means.new_zeros(k, self.dim * (self.dim - 1) // 2)
        self.theta = nn.Parameter(torch.cat([means.new_zeros(k, 1), means, diagonal, slant], 1) / PACE)

    def log_density(self, x: Tensor) -> Tensor:
        log_weights, means, factors, log_det = self._parts()
        centres = (means.unsqueeze(-2) @ factors).squeeze(-2)
        y = (x @ factors.movedim(0, 1).flatten(1)).unflatten(-1, centres.shape) - centres  # (*, K, d)
        return torch.logsumexp(log_weights + log_det - y.square().sum(-1) / 2, -1) - self.dim * HALF_LOG_TAU

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        log_weights, means, factors, _ = self._parts()
        which = torch.multinomial(log_weights.exp(), n, replacement=True, generator=rng)
        z = randn((n, self.dim, 1), rng, means)
        away = torch.linalg.solve_triangular(factors[which].mT, z, upper=True)
        return means[which] + away.squeeze(-1)

    def _parts(self) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Returns log weights (K), means (K, d), the precisions' factors (K, d, d) and their log-determinants (K)."""

        k, d = len(self.theta), self.dim
        logits, means, diagonal, slants = (PACE * self.theta).split([1, d, d, d * (d - 1) // 2], 1)
        row, column = torch.tril_indices(d, d, -1, device=self.theta.device)
        each = torch.arange(k, device=self.theta.device).unsqueeze(-1)
        factors = diagonal.exp().diag_embed().index_put((each, row, column), slants)
        return logits.squeeze(1).log_softmax(0), means, factors, diagonal.sum(1)
