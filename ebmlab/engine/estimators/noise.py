"""Noise that data are told apart from."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import softplus

from ebmlab.engine.types import Energy, Rng, randn
from ebmlab.spec import BadInput, Component, knob

RARE = 1e-3
"""A point where noise is less dense than at all but this share of its own draws is one that noise misses."""


@dataclass(frozen=True, kw_only=True)
class GaussianNoise(Component):
    r"""Isotropic normal noise.

    .. math:: q(x) = \mathcal{N}(x; m, w^2 I)
    """

    mean: tuple[float, ...] = knob(
        (0.0, 0.0), "Centre m; 0 along every axis left out.", shape=(-1,), low=-1e6, high=1e6, symbol="m"
    )
    width: float = knob(3.0, "Standard deviation w.", low=1e-3, high=1e3, soft=(0.1, 10.0), scale="log", symbol="w")

    def sample(self, n: int, rng: Rng, like: Tensor) -> Tensor:
        """Draws n points, with shape (n, d), in the dtype and on the device of other points."""

        return self._center(like) + self.width * randn((n, like.shape[-1]), rng, like)

    def log_density(self, x: Tensor) -> Tensor:
        r"""Returns :math:`\log q(x)`, with shape :math:`(*)`."""

        square = ((x - self._center(x)) / self.width).square().sum(-1)
        return -square / 2 - x.shape[-1] * math.log(self.width * math.sqrt(2 * math.pi))

    def rarity(self, x: Tensor) -> Tensor:
        r"""Returns the probability that a draw is no denser than q is at x, with shape :math:`(*)`.

        .. math:: P(q(y) \le q(x)) = P(\chi^2_d \ge |x - m|^2 / w^2), \qquad y \sim q
        """

        square = ((x - self._center(x)) / self.width).square().sum(-1)
        return torch.special.gammaincc(torch.full_like(square, x.shape[-1] / 2), square / 2)

    def log_z(self, energy: Energy, n: int, rng: Rng, like: Tensor) -> Tensor:
        r"""Estimates :math:`\log \int e^{-E}` by importance sampling with n points, a scalar."""

        x = self.sample(n, rng, like)
        return torch.logsumexp(-energy(x) - self.log_density(x), 0) - math.log(n)

    def complaint(self, x: Tensor) -> str:
        """Says in a few words what share of the data the noise misses; empty if hardly any."""

        missed = (self.rarity(x) < RARE).to(x).mean().item()
        return f"the noise misses {missed:.0%} of the data; widen or move it" if missed > 10 * RARE else ""

    def _center(self, x: Tensor) -> Tensor:
        dim = x.shape[-1]
        if any(self.mean[dim:]):
            raise BadInput(f"the points have {dim} coordinates; give at most as many numbers", key="mean")
        return x.new_tensor((self.mean + (0.0,) * dim)[:dim])


def logistic(h: Tensor, n: int, ratio: int = 1) -> Tensor:
    r"""Returns the loss of telling n points from the noise after them by the log-odds h, with shape ((1 + ν) n).

    .. math:: -\overline{\log \sigma(h)} - \nu \, \overline{\log \sigma(-h)}
    """

    return softplus(-h[:n]).mean() + ratio * softplus(h[n:]).mean()


@torch.no_grad()
def balance(log_r: Tensor, n: int) -> Tensor:
    r"""Returns the constant c, with shape (*), that is best for log-odds :math:`\log r - c` of n points and of noise.

    .. math:: \overline{\sigma(c - \log r(x))} = \overline{\sigma(\log r(y) - c)}

    With the energies as they are, data x are then taken for noise y as often as noise for data, and where the model is
    the target c is Bennett's estimate of :math:`\log Z`. The first n of the values, with shape (*, 2n), are at data.
    """

    low, high = log_r.amin(-1) - 1, log_r.amax(-1) + 1
    for _ in range(64):
        c = (low + high) / 2
        odds = torch.sigmoid(c.unsqueeze(-1) - log_r)
        above = odds[..., :n].mean(-1) > 1 - odds[..., n:].mean(-1)
        low, high = torch.where(above, low, c), torch.where(above, c, high)
    return (low + high) / 2
