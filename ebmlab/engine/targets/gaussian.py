from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.targets.base import TARGETS, Density, Target
from ebmlab.engine.types import Reader, Rng, Window
from ebmlab.spec import BadInput, knob


@TARGETS.register("gaussian")
@dataclass(frozen=True, kw_only=True)
class Gaussian(Target):
    r"""Normal distribution.

    .. math:: p(x) = \mathcal{N}(x; \mu, \Sigma)
    """

    mean: tuple[float, ...] = knob((0.0, 0.0), "Centre μ.", shape=(-1,), low=-1e6, high=1e6)
    covariance: tuple[tuple[float, ...], ...] = knob(
        ((1.0, 0.0), (0.0, 1.0)), "Covariance Σ, symmetric and positive definite.", shape=(-1, -1)
    )

    def validate(self) -> None:
        cholesky(self.covariance, len(self.mean), "covariance")

    def build(self, read: Reader, window: Window) -> Density:
        return MixtureDensity((1.0,), (self.mean,), (self.covariance,))


class MixtureDensity(Density):
    r"""Mixture of normal distributions, :math:`p(x) = \sum_k w_k \, \mathcal{N}(x; \mu_k, \Sigma_k)`."""

    def __init__(self, weights: object, means: object, covariances: object) -> None:
        w = torch.tensor(weights, dtype=torch.float64)
        self.log_weights = (w / w.sum()).log()
        self.means = torch.tensor(means, dtype=torch.float64)
        self.factors = torch.linalg.cholesky(torch.tensor(covariances, dtype=torch.float64))
        self.dim = self.means.shape[-1]

    def log_density(self, x: Tensor) -> Tensor:
        law = torch.distributions.MultivariateNormal(
            self.means.to(x), scale_tril=self.factors.to(x), validate_args=False
        )
        return torch.logsumexp(law.log_prob(x.unsqueeze(-2)) + self.log_weights.to(x), -1)

    def sample(self, n: int, rng: Rng) -> Tensor:
        device = rng.device
        k = torch.multinomial(self.log_weights.exp().to(device), n, replacement=True, generator=rng)
        z = torch.randn(n, self.dim, 1, generator=rng, device=device)
        factors, means = self.factors.to(device, torch.float32), self.means.to(device, torch.float32)
        return means[k] + (factors[k] @ z).squeeze(-1)


def cholesky(covariance: object, dim: int, key: str) -> None:
    """Checks that a covariance is a symmetric positive definite matrix of the given size.

    Raises:
        BadInput: If it is not.
    """

    rows = [list(row) for row in covariance]  # type: ignore[attr-defined]
    if len(rows) != dim or any(len(row) != dim for row in rows):
        raise BadInput(
            f"the matrix is not {dim} by {dim}; give as many rows and columns as the mean has numbers",
            key=key,
        )
    matrix = torch.tensor(rows, dtype=torch.float64)
    if not torch.allclose(matrix, matrix.T) or torch.linalg.cholesky_ex(matrix).info != 0:
        raise BadInput("the matrix is not symmetric and positive definite; try [[1, 0], [0, 1]]", key=key)
