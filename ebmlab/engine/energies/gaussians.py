"""Sums of Gaussians that share their widths."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.flows import HALF_LOG_TAU

PACE = 5.0
"""What bare numbers, such as means and log widths, are kept in units of: an optimiser that moves every parameter by
its rate moves them that much faster than the weights of a network, which act by the hundred."""

BLOCK = 128
"""Points whose gradients are found at once: twice as fast as many at a time."""


class Sum(NamedTuple):
    r"""A density.

    .. math:: p(x) = \sum_{j=1}^{k} w_j \prod_i \mathcal{N}(x_i; c_{ji}, s_i^2)
    """

    centres: Tensor  # (k, d)
    log_weights: Tensor  # (k), of weights that sum to 1
    log_widths: Tensor  # (d)

    def log_density(self, x: Tensor) -> Tensor:
        """Returns the log density of points with shape (*, d)."""

        return torch.logsumexp(self._exponents(x), -1) + self._constant()

    def energy_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Returns :math:`-\log p` of points with shape (n, d), and its gradient, detached.

        .. math:: -\partial_i \log p(x) = \frac{x_i - \sum_j r_j(x) \, c_{ji}}{s_i^2}, \qquad
            r = \operatorname{softmax}_j \log (w_j p_j(x))
        """

        with torch.no_grad():
            values, grads = zip(*(self._energy_and_grad(block) for block in x.detach().split(BLOCK)))
            return torch.cat(values), torch.cat(grads)

    def _energy_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        exponents = self._exponents(x)
        log_sum = torch.logsumexp(exponents, -1)
        middle = exponents.sub_(log_sum.unsqueeze(-1)).exp_() @ self.centres
        return -log_sum - self._constant(), (x - middle) * torch.exp(-2 * self.log_widths)

    def _exponents(self, x: Tensor) -> Tensor:
        exponents = self.log_weights
        for a, c, log_width in zip(x.unbind(-1), self.centres.unbind(-1), self.log_widths, strict=True):
            away = (a.unsqueeze(-1) - c).square()
            exponents = torch.addcmul(exponents, away, torch.exp(-2 * log_width), value=-0.5)
        return exponents

    def _constant(self) -> Tensor:
        return -self.log_widths.sum() - len(self.log_widths) * HALF_LOG_TAU
