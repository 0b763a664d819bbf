from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.targets.base import TARGETS, Chooser, Density, Held, Target
from ebmlab.engine.types import Reader, Rng, Window, chunks
from ebmlab.spec import BadInput, knob


@TARGETS.register("gaussian")
@dataclass(frozen=True, kw_only=True)
class Gaussian(Target):
    r"""Normal distribution.

    .. math:: p(x) = \mathcal{N}(x; \mu, \Sigma)
    """

    mean: tuple[float, ...] = knob((0.0, 0.0), "Centre μ.", shape=(-1,), low=-1e6, high=1e6)
    covariance: tuple[tuple[float, ...], ...] = knob(
        ((1.0, 0.0), (0.0, 1.0)),
        "Covariance Σ, symmetric and positive definite.",
        shape=(-1, -1),
        low=-1e12,
        high=1e12,
    )

    def validate(self) -> None:
        cholesky(self.covariance, len(self.mean), "covariance")

    def build(self, read: Reader, window: Window) -> Density:
        return MixtureDensity((1.0,), (self.mean,), (self.covariance,))


class MixtureDensity(Density):
    r"""Mixture of normal distributions, :math:`p(x) = \sum_k w_k \, \mathcal{N}(x; \mu_k, \Sigma_k)`.

    Arguments:
        weights: The weights, with shape :math:`(m)`, of any positive sum.
        means: The centres, with shape :math:`(m, d)`.
        covariances: The covariances, with shape :math:`(m, d, d)`.
    """

    def __init__(self, weights: object, means: object, covariances: object) -> None:
        w = torch.as_tensor(weights, dtype=torch.float64)
        mu = torch.as_tensor(means, dtype=torch.float64)
        self.dim = mu.shape[-1]
        factor = torch.linalg.cholesky(torch.as_tensor(covariances, dtype=torch.float64))
        # With A = L⁻¹ / √2 the exponent of a component is -|A x - A μ|².
        whiten = torch.linalg.solve_triangular(factor, torch.eye(self.dim, dtype=torch.float64), upper=False)
        log_peak = (w / w.sum()).log() + whiten.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        whiten = whiten / math.sqrt(2)
        self._entries = [[j for j in range(i + 1) if whiten[:, i, j].any()] for i in range(self.dim)]
        centre = (whiten @ mu[..., None]).squeeze(-1)
        self._terms = Held(
            log_peak - self.dim / 2 * math.log(2 * math.pi), -centre.T, whiten.movedim(0, -1).contiguous()
        )
        self._draws = Held(mu, factor)
        self._component = Chooser(w)

    def log_density(self, x: Tensor) -> Tensor:
        # Pieces that stay in the processor's cache.
        pieces = chunks(x.reshape(-1, self.dim), max(1, 2**16 // len(self._terms.like(x)[0])))
        return torch.cat([_log_sum_exp(self._exponents(piece)) for piece in pieces]).reshape(x.shape[:-1])

    def _exponents(self, x: Tensor) -> Tensor:
        """Returns the logarithm of each component's share at each point, with shape (n, m)."""

        exponents, shift, whiten = self._terms.like(x)
        for i, columns in enumerate(self._entries):
            z = shift[i]
            for j in columns:
                z = torch.addcmul(z, x[:, j, None], whiten[i, j])
            exponents = torch.addcmul(exponents, z, z, value=-1)
        return exponents

    def sample(self, n: int, rng: Rng) -> Tensor:
        means, factors = self._draws.on(rng.device, torch.float32)
        k = self._component.draw(n, rng)
        z = torch.randn(n, self.dim, 1, generator=rng, device=rng.device)
        return means[k] + (factors[k] @ z).squeeze(-1)


def _log_sum_exp(e: Tensor) -> Tensor:
    """Returns log-sum-exp over the last axis, to full precision."""

    # Where exp underflows it may take sixty times as long; e^-80 counts for nothing.
    top = e.detach().amax(-1, keepdim=True)
    return (e - top).clamp(min=-80.0).exp().sum(-1).log() + top.squeeze(-1)


def cholesky(covariance: Sequence[Sequence[float]], dim: int, key: str) -> None:
    """Checks that a covariance is a symmetric positive definite matrix of the given size.

    Raises:
        BadInput: If it is not.
    """

    if not dim:
        raise BadInput("its centre has no numbers; give two, such as [0, 0]", key=key)
    if len(covariance) != dim or any(len(row) != dim for row in covariance):
        raise BadInput(
            f"the matrix is not {dim} by {dim}; give as many rows and columns as the mean has numbers",
            key=key,
        )
    matrix = torch.tensor(covariance, dtype=torch.float64)
    symmetric = torch.allclose(matrix, matrix.T, atol=0)
    if not symmetric or torch.linalg.cholesky_ex(matrix).info != 0:
        raise BadInput("the matrix is not symmetric and positive definite; try [[1, 0], [0, 1]]", key=key)
