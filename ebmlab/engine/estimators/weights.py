"""What the estimators that weigh their negatives share."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ebmlab.engine import tent
from ebmlab.engine.types import Rng, rand


def log_average(log_w: Tensor) -> Tensor:
    """Returns the logarithm of the mean weight, with shape ()."""

    return torch.logsumexp(log_w, 0) - math.log(len(log_w))


def worth(log_w: Tensor) -> Tensor:
    """Returns how many equal weights these are worth, with shape ()."""

    return torch.exp(2 * torch.logsumexp(log_w, 0) - torch.logsumexp(2 * log_w, 0))


def systematic(log_w: Tensor, n: int, rng: Rng) -> Tensor:
    """Draws the numbers of n points by their weights, each as often as its share of n, rounded up or down."""

    sums = tent.cumulative(log_w)
    comb = (torch.arange(n, device=sums.device) + rand((1,), rng, sums)) / n
    return torch.searchsorted(sums, comb * sums[-1], right=True).clamp(max=len(sums) - 1)


def negligible(log_terms: Tensor) -> Tensor:
    """Returns which terms of a sum, over the last axis, are so small that together they are less than its rounding.

    Each costs as much to differentiate as any other.
    """

    rounding = math.log(torch.finfo(log_terms.dtype).eps / log_terms.shape[-1])
    return log_terms < log_terms.amax(-1, keepdim=True) + rounding
