r"""A normalising flow as functions of one vector of parameters: affine couplings of normal noise.

.. math:: x = \mu + L y_K, \qquad y_k = (b \, e^{s_k(a)} + t_k(a), \; a), \qquad (a, b) = y_{k-1}, \qquad
    y_0 = z \sim \mathcal{N}(0, I)

.. math:: \log q(x) = \log \mathcal{N}(z; 0, I) - \sum_k \sum_i s_{ki} - \log \det L

Half of the coordinates, a, decide by a perceptron how the other half, b, is stretched and moved, and then they change
places; one coupling stretches by e at most. L is lower triangular. Without couplings, and on the line, q is a Gaussian.

References:
    | Density estimation using Real NVP (Dinh et al., 2017)
    | https://arxiv.org/abs/1605.08803
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.estimators import inner
from ebmlab.engine.estimators.inner import Sizes
from ebmlab.engine.memory import remembered
from ebmlab.engine.types import Rng


@remembered
class Coupling(NamedTuple):
    """The shape of a flow."""

    dim: int
    layers: int  # couplings K
    width: int  # hidden units of a perceptron

    @property
    def sizes(self) -> Sizes:
        half = self.dim // 2
        return half, self.width, 2 * (self.dim - half)

    def draw(self, mean: Tensor, scale: Tensor, rng: Rng) -> Tensor:
        """Draws the parameters (m,) of a flow that starts as a Gaussian of given mean (d,) and scales (d,)."""

        nets = [inner.draw(self.sizes, rng, mean) for _ in range(self._couplings())]
        return torch.cat([mean, scale.log(), mean.new_zeros(self.dim * (self.dim - 1) // 2), *nets])

    def generate(self, theta: Tensor, z: Tensor) -> tuple[Tensor, Tensor]:
        """Maps noise z, with shape (n, d), to points x; returns them and log q(x), with shape (n)."""

        mean, lower, log_det, nets = self._split(theta)
        half, y = self.dim // 2, z
        stretches = []
        for net in nets:
            a, b = y.split([half, self.dim - half], -1)
            shift, stretch = self._affine(net, a)
            y = torch.cat([torch.addcmul(shift, b, stretch.exp()), a], -1)
            stretches.append(stretch)
        return mean + y @ lower.t(), normal(z) - _total(stretches, log_det)

    def log_density(self, theta: Tensor, x: Tensor) -> Tensor:
        r"""Returns :math:`\log q(x)`, with shape (n)."""

        mean, lower, log_det, nets = self._split(theta)
        half, y = self.dim // 2, torch.linalg.solve_triangular(lower, (x - mean).t(), upper=False).t()
        stretches = []
        for net in reversed(nets):
            b, a = y.split([self.dim - half, half], -1)
            shift, stretch = self._affine(net, a)
            y = torch.cat([a, (b - shift) * (-stretch).exp()], -1)
            stretches.append(stretch)
        return normal(y) - _total(stretches, log_det)

    def _couplings(self) -> int:
        return self.layers if self.dim > 1 else 0

    def _split(self, theta: Tensor) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        """Returns the mean (d), L (d, d), its log-determinant and the parameters of each perceptron."""

        d, below = self.dim, self.dim * (self.dim - 1) // 2
        nets = [inner.size(self.sizes)] * self._couplings()
        mean, log_scale, off, *rest = theta.split([d, d, below, *nets])
        lower = torch.diag(log_scale.exp())
        if below:
            rows, columns = torch.tril_indices(d, d, -1, device=theta.device)
            lower = lower.index_put((rows, columns), off)
        return mean, lower, log_scale.sum(), list(rest)

    def _affine(self, net: Tensor, a: Tensor) -> tuple[Tensor, Tensor]:
        shift, stretch = inner.perceptron(net, self.sizes, a).chunk(2, -1)
        return shift, torch.tanh(stretch)


def normal(z: Tensor) -> Tensor:
    """Returns the log density of standard normal noise, with shape (n)."""

    return -z.square().sum(-1) / 2 - z.shape[-1] * math.log(2 * math.pi) / 2


def _total(stretches: list[Tensor], log_det: Tensor) -> Tensor:
    return log_det + torch.cat(stretches, -1).sum(-1) if stretches else log_det
