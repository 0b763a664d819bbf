"""The broad normal law that weights are taken against, and the energies between it and the model's."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.logz.base import Scene
from ebmlab.engine.types import Energy, Rng, randn


@dataclass(frozen=True, slots=True)
class Start:
    r"""A normalised energy, :math:`E_0(x) = -\log \mathcal{N}(x; m, \sigma^2 I)`, that is drawn from directly."""

    mean: Tensor  # (d,)
    width: float

    def __call__(self, x: Tensor) -> Tensor:
        d = x.shape[-1]
        far = ((x - self.mean) / self.width).square().sum(-1) / 2
        return far + d * (math.log(self.width) + math.log(2 * math.pi) / 2)

    def value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self(x), (x - self.mean) / self.width**2

    def sample(self, n: int, rng: Rng) -> Tensor:
        """Draws n points, with shape (n, d)."""

        return self.mean + self.width * randn((n, len(self.mean)), rng, self.mean)


class Seen(NamedTuple):
    """An energy already evaluated at some points."""

    x: Tensor  # (n, d)
    value: Tensor  # (n,)
    grad: Tensor  # (n, d)


@dataclass(frozen=True, slots=True)
class Tempered:
    r"""An energy between two others, in the coordinates :math:`y = x / s_\beta` where its features have unit size.

    .. math:: E_\beta(x) = (1 - \beta) E_0(x) + \beta E(x), \qquad s_\beta^{-2} = (1 - \beta) \sigma^{-2} + \beta

    A kernel with one step size then takes strides as wide as the start at :math:`\beta = 0`, and those it was set to at
    :math:`\beta = 1`. A stretch below 1 shortens them all.
    """

    start: Start
    energy: Energy
    beta: float
    seen: Seen | None = None  # at points y
    stretch: Tensor | float = 1.0

    @property
    def scale(self) -> Tensor | float:
        return self.stretch * ((1 - self.beta) / self.start.width**2 + self.beta) ** -0.5

    def __call__(self, y: Tensor) -> Tensor:
        x = self.scale * y
        return between(self.start(x), self.energy(x), self.beta)

    def value_and_grad(self, y: Tensor) -> tuple[Tensor, Tensor]:
        x = self.scale * y
        known = self.seen is not None and y is self.seen.x
        value, grad = self.seen[1:] if self.seen is not None and known else value_and_grad(self.energy, x)
        value_0, grad_0 = self.start.value_and_grad(x)
        return between(value_0, value, self.beta), self.scale * between(grad_0, grad, self.beta)


def between(a: Tensor, b: Tensor, beta: float) -> Tensor:
    """Returns (1 - β) a + β b, that is infinite where b is, as behind a hard wall, and a itself for β = 0."""

    return torch.add((1 - beta) * a, b, alpha=beta) if beta > 0 else a


def start_for(scene: Scene, width: float, sides: float) -> Start:
    """Returns the law to begin with, as wide as asked, or for a width of 0 so many times the window's longer side.

    In the plane it stands in the middle of the window, elsewhere at the origin.
    """

    left, right, bottom, top = scene.window
    mean = ((left + right) / 2, (bottom + top) / 2) if scene.dim == 2 else (0.0,) * scene.dim
    return Start(scene.like.new_tensor(mean), width or sides * max(right - left, top - bottom))
