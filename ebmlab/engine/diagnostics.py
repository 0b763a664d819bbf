r"""Whether draws of Markov chains, and importance weights, can be trusted.

Draws have shape :math:`(m, n, d)`: m chains, n draws of each, d coordinates; answers have shape :math:`(d)`. Draws with
shape :math:`(m, n)` count as one coordinate, with a single number for an answer.

References:
    | Rank-normalization, folding, and localization: an improved R̂ (Vehtari, Gelman, Simpson, Carpenter & Bürkner, 2021)
    | https://arxiv.org/abs/1903.08008
    | Pareto smoothed importance sampling (Vehtari, Simpson, Gelman, Yao & Gabry, 2024)
    | https://arxiv.org/abs/1507.02646
    | A new and efficient estimation method for the generalized Pareto distribution (Zhang & Stephens, 2009)
    | https://doi.org/10.1198/tech.2009.08017
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

Draws = np.ndarray | Tensor


class Health(NamedTuple):
    """How well chains have mixed, each figure with shape (d)."""

    rhat: np.ndarray  # 1 where the chains agree; above 1.01 they do not
    bulk: np.ndarray  # independent draws that the centre of the law is worth
    tail: np.ndarray  # independent draws that its 5 % tails are worth, the worse of the two
    moved: float  # share of the transitions that moved: the measured acceptance


def health(draws: Draws) -> Health:
    """Returns every figure for draws with shape (m, n, d), n at least 4."""

    split = _halves(draws)
    order = _order(split)
    normal = _rank_normal(split, order)
    bulk, *tails = _ess(np.stack([normal, *_tails(split, order)]))
    return Health(_rhat(normal), bulk, np.minimum(*tails), moved(draws))


def rhat(draws: Draws) -> np.ndarray:
    r"""Returns the split :math:`\hat{R}` of rank-normalised draws.

    .. math:: \hat{R} = \sqrt{\frac{n - 1}{n} + \frac{B}{n W}}

    B / n is the variance of the chains' means, W the mean of their variances, each chain being cut in two.
    """

    split = _halves(draws)
    return _rhat(_rank_normal(split, _order(split)))


def ess(draws: Draws) -> np.ndarray:
    r"""Returns the effective sample size, without ranks.

    .. math:: \frac{m n}{1 + 2 \sum_{t \ge 1} \rho_t}

    The sum of autocorrelations ends where pairs of neighbours turn negative (Geyer's initial monotone sequence).
    """

    return _ess(_halves(draws))


def moved(draws: Draws) -> float:
    """Returns the share of transitions that moved, which for a kernel with a test is its acceptance."""

    steps = np.diff(_array(draws), axis=1)
    changed = (steps != 0).any(-1) if steps.ndim > 2 else steps != 0
    return float(changed.mean())


def _halves(draws: Draws) -> np.ndarray:
    """Cuts every chain in two, so that a chain that drifts disagrees with itself: (d, 2m, n // 2) or (2m, n // 2)."""

    x = _array(draws).astype(np.float64)
    n = x.shape[1] // 2
    split = np.concatenate([x[:, :n], x[:, -n:]])
    return np.ascontiguousarray(np.moveaxis(split, -1, 0)) if split.ndim > 2 else split


def _array(draws: Draws) -> np.ndarray:
    return draws.detach().cpu().numpy() if isinstance(draws, Tensor) else draws


def _order(split: np.ndarray) -> np.ndarray:
    return split.reshape(*split.shape[:-2], -1).argsort(-1)


def _rank_normal(split: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Replaces draws by the normal quantiles of their ranks, pooled over the chains."""

    n = order.shape[-1]
    quantiles = torch.special.ndtri((torch.arange(1, n + 1, dtype=torch.float64) - 0.375) / (n + 0.25))
    normal = np.empty(order.shape)
    np.put_along_axis(normal, order, np.broadcast_to(quantiles.numpy(), order.shape), -1)
    return normal.reshape(split.shape)


def _tails(split: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    flat = split.reshape(order.shape)
    n = order.shape[-1]
    low, high = (np.take_along_axis(flat, order[..., [i]], -1)[..., None] for i in (n // 20, n - 1 - n // 20))
    return (split <= low).astype(np.float64), (split >= high).astype(np.float64)


def _rhat(x: np.ndarray) -> np.ndarray:
    n = x.shape[-1]
    between, within = x.mean(-1).var(-1, ddof=1), x.var(-1, ddof=1).mean(-1)
    return np.sqrt((n - 1) / n + between / np.maximum(within, np.finfo(np.float64).tiny))


def _ess(x: np.ndarray) -> np.ndarray:
    m, n = x.shape[-2:]
    covariance = _autocovariance(x)
    within = covariance[..., :1] * n / (n - 1)
    total = covariance[..., :1] + x.mean(-1).var(-1, ddof=1)[..., None]
    # Chains of which none ever moved are worth one draw each, whatever their length.
    still = total <= 0
    rho = 1 - (within - covariance) / np.where(still, 1.0, total)
    rho[..., 0] = 1.0
    pairs = rho[..., : n // 2 * 2].reshape(*rho.shape[:-1], -1, 2).sum(-1)
    positive = np.logical_and.accumulate(pairs > 0, -1)
    monotone = np.minimum.accumulate(pairs, -1) * positive
    time = np.maximum(2 * monotone.sum(-1) - 1, 1 / math.log10(m * n))
    return np.where(still[..., 0], float(m), m * n / time)


def _autocovariance(x: np.ndarray) -> np.ndarray:
    """Returns the mean autocovariance of the chains at every lag, through their mean power spectrum."""

    n = x.shape[-1]
    size = 1 << (2 * n - 1).bit_length()
    spectrum = np.fft.rfft(x - x.mean(-1, keepdims=True), size)
    power = (spectrum.real**2 + spectrum.imag**2).mean(-2)
    return np.fft.irfft(power, size)[..., :n] / n


def weights_ess(log_w: Tensor) -> float:
    r"""Returns how many equal weights these are worth, :math:`(\sum_i w_i)^2 / \sum_i w_i^2`."""

    log_w = log_w.detach().cpu().double()
    return torch.exp(2 * torch.logsumexp(log_w, 0) - torch.logsumexp(2 * log_w, 0)).item()


def pareto_k(log_w: Tensor) -> float:
    r"""Returns the shape k of the generalised Pareto law that fits the largest weights.

    Weights have :math:`\lfloor 1 / k \rfloor` moments: above 0.5 the variance is infinite, above 0.7 an average of a
    feasible number of them is useless. NaN where there are too few to tell; :math:`-\infty` for equal weights.
    """

    w = log_w.detach().cpu().double().sort().values
    n = len(w)
    tail = math.ceil(min(n / 5, 3 * math.sqrt(n)))
    if tail < 5:
        return math.nan
    w = (w - w[-1]).exp()
    excess = w[-tail:] - w[-tail - 1]
    if excess[-1] <= 1e-12:
        return -math.inf
    return _pareto_shape(excess[excess > 0])


def _pareto_shape(x: Tensor) -> float:
    """Fits sorted excesses above a threshold: the posterior mean of the shape, drawn a little towards 1/2."""

    n = len(x)
    if n < 5:
        return math.inf
    grid = 30 + math.isqrt(n)
    quarter = x[int(n / 4 + 0.5) - 1]
    j = torch.arange(1, grid + 1, dtype=x.dtype)
    b = (1 - (grid / (j - 0.5)).sqrt()) / (3 * quarter) + 1 / x[-1]
    k = torch.log1p(-b[:, None] * x).mean(1)
    profile = n * ((-b / k).log() - k - 1)
    mean = (torch.softmax(profile, 0) * b).sum()
    shape = torch.log1p(-mean * x).mean().item()
    return (n * shape + 10 * 0.5) / (n + 10)
