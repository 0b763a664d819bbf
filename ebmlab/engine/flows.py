r"""Invertible maps from points to normal noise, with the log-determinants of their Jacobians.

.. math:: z = f_\theta(x), \qquad \log p_\theta(x) = \log \mathcal{N}(f_\theta(x); 0, I)
    + \log \left| \det \frac{\partial f_\theta}{\partial x} \right|

The maps are zuko's, made from a generator of ours, and what they draw is drawn from one of ours too.

References:
    | Normalizing flows for probabilistic modeling and inference (Papamakarios, Nalisnick, Rezende, Mohamed & Lakshminarayanan, 2021)
    | https://arxiv.org/abs/1912.02762
    | Zuko: normalizing flows in PyTorch (Rozet et al., 2022)
    | https://github.com/probabilists/zuko
"""  # noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import Tensor, nn

from ebmlab.engine.types import Rng

M = TypeVar("M", bound=nn.Module)

HALF_LOG_TAU = math.log(2 * math.pi) / 2
"""What each coordinate adds to the negative log density of standard normal noise."""


def seeded(make: Callable[[], M], rng: Rng) -> M:
    """Makes a module that draws its weights from the global generator, as if it drew them from this one."""

    seed = int(torch.randint(2**62, (), generator=rng, device=rng.device))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        module = make()
    for part in module.modules():
        for name, buffer in list(part.named_buffers(recurse=False)):
            part.register_buffer(name, buffer, persistent=False)  # masks and orders are no weights to be saved
    return module


class Bijection(nn.Module):
    r"""An invertible map of points to noise that starts near :math:`z = x / s`.

    Arguments:
        kind: ``spline``, for rational-quadratic splines of each coordinate given those before it, or ``coupling``, for
            affine maps of one half of the coordinates given the other.
        sizes: How many maps follow each other, the units in each of their hidden layers, and how many layers.
        scale: The length s; splines bend within five of them and leave what lies beyond as it is.
        rng: What the weights are drawn from.
        dim: The dimension.
    """

    def __init__(self, kind: str, sizes: tuple[int, int, int], scale: float, rng: Rng, dim: int) -> None:
        super().__init__()
        from zuko.flows import NICE, NSF  # slow to import

        transforms, width, depth = sizes
        cls = NSF if kind == "spline" else NICE
        hidden = {"hidden_features": [width] * depth, "activation": nn.SiLU} if dim > 1 else {}
        self.maps = seeded(lambda: cls(dim, transforms=transforms, **hidden).transform, rng)
        self.scale = scale

    def __repr__(self) -> str:
        return f"Bijection({len(self.maps.transforms)} maps)"  # the maps' own draws from the global generator

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the noise that points, with shape (*, d), are maps of, and the log-determinants, with shape (*)."""

        if not x.numel():
            return x, x.sum(-1)  # the maps know no empty batch
        z, log_det = self.maps().call_and_ladj(x / self.scale)
        return z, log_det - x.shape[-1] * math.log(self.scale)

    def inverse(self, z: Tensor) -> Tensor:
        """Returns the points that noise is mapped to, differentiable in the weights."""

        return self.maps().inv(z) * self.scale

    def log_density(self, x: Tensor) -> Tensor:
        """Returns the log density, with shape (*), that points have when the noise is standard normal."""

        z, log_det = self(x)
        return log_det - z.square().sum(-1) / 2 - x.shape[-1] * HALF_LOG_TAU
