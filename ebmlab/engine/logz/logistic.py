r"""Logistic regression with a single parameter: points of the model are told from points of a normalised law q.

.. math:: P(x) = \sigma\Bigl(h(x) - c + \log \frac{n_p}{n_q}\Bigr), \qquad h(x) = -E(x) - \log q(x)

is the probability that a point x of the pool is the model's, if c is :math:`\log Z`. Where the likelihood of c is
greatest,

.. math:: \sum_{x \sim p} (1 - P(x)) = \sum_{y \sim q} P(y)

which is Bennett's equation for the free energy, Meng and Wong's for the optimal bridge, and that of noise-contrastive
estimation with the energy frozen: one estimator under three names.

References:
    | Equilibrium free energies from nonequilibrium measurements using maximum-likelihood methods (Shirts, Bair, Hooker & Pande, 2003)
    | https://doi.org/10.1103/PhysRevLett.91.140601
"""  # noqa: E501

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.logz.population import clustered_error


class Pool(NamedTuple):
    """Log ratios h at the points to be told apart, float64 on the CPU."""

    model: Tensor  # (draws, n), at points of the model or of the data
    noise: Tensor  # (m,), at points of q
    cluster: Tensor  # (n,), which columns of the model's points depend on each other

    @property
    def log_odds(self) -> float:
        """The logarithm of the number of the model's points over that of q's."""

        return math.log(self.model.numel() / self.noise.numel())

    def chances(self, c: float) -> tuple[Tensor, Tensor]:
        """Returns, where c is log Z, 1 - P at the model's points, with shape (draws, n), and P at those of q."""

        return torch.sigmoid(c - self.log_odds - self.model), torch.sigmoid(self.noise - c + self.log_odds)


def most_likely(pool: Pool) -> float:
    """Returns the c of greatest likelihood, by Newton's method, with halving where that would leave the bracket."""

    finite = torch.cat([pool.model.flatten(), pool.noise])
    finite = finite[finite.isfinite()]
    if not len(finite):
        return math.nan
    width = 40 + abs(pool.log_odds) + math.log(len(finite))
    low, high = finite.min().item() - width, finite.max().item() + width
    c = (low + high) / 2
    for _ in range(200):
        wrong, taken = pool.chances(c)
        excess = (wrong.sum() - taken.sum()).item()
        low, high = (low, c) if excess > 0 else (c, high)
        steepness = information(wrong, taken)
        newton = c - excess / steepness if steepness > 0 else math.nan
        old, c = c, newton if low < newton < high else (low + high) / 2
        if abs(c - old) < 1e-12 * max(1.0, abs(c)):
            break
    return c


def information(wrong: Tensor, taken: Tensor) -> float:
    """Returns the Fisher information about c: how many points might be either's, each up to a quarter."""

    return ((wrong * (1 - wrong)).sum() + (taken * (1 - taken)).sum()).item()


def standard_error(pool: Pool, c: float) -> float:
    r"""Returns the standard error of c, by the sandwich formula.

    .. math:: \operatorname{se}^2 = \frac{\operatorname{Var}\bigl(\sum_{x \sim p} (1 - P(x))\bigr)
        + \operatorname{Var}\bigl(\sum_{y \sim q} P(y)\bigr)}{I^2}, \qquad I = \sum_{x, y} P (1 - P)

    It holds even where the points are not the model's. For independent points of the model it is, in the limit,
    Bennett's :math:`1 / I - 1 / n_p - 1 / n_q`.
    """

    wrong, taken = pool.chances(c)
    draws, n = wrong.shape
    steepness = information(wrong, taken)
    if steepness == 0 or n < 2 or len(taken) < 2:
        return math.inf
    one = draws * n * clustered_error(wrong.mean(0), pool.cluster)
    other = math.sqrt(len(taken)) * taken.std().item()
    return math.hypot(one, other) / steepness


def overlap_warning(pool: Pool, c: float) -> str:
    """Returns why the two kinds of points say little about each other, empty where they do."""

    shared = 4 * information(*pool.chances(c))
    return "" if shared > 20 else f"the two laws overlap in about {shared:.0f} points, too few to trust the error"
