"""Noise that data are told apart from."""

from __future__ import annotations

import math
from dataclasses import dataclass

from torch import Tensor

from ebmlab.engine.types import Rng, randn
from ebmlab.spec import BadInput, Component, knob


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

    def _center(self, x: Tensor) -> Tensor:
        dim = x.shape[-1]
        if any(self.mean[dim:]):
            raise BadInput(f"the points have {dim} coordinates; give at most as many numbers", key="mean")
        return x.new_tensor((self.mean + (0.0,) * dim)[:dim])
