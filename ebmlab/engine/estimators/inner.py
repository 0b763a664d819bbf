r"""What an estimator trains by itself within a step: networks as functions of one vector of parameters, and Adam.

Everything is a value: a step of Adam returns new tensors and writes to none.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import silu

from ebmlab.engine.memory import remembered
from ebmlab.engine.types import Rng, randn

Sizes = tuple[int, ...]
"""The units of a perceptron, from its inputs to its outputs."""

DECAY, DECAY_OF_SQUARE = 0.9, 0.99
"""A short memory of the slope's scale, since what is learnt against moves at every step."""


@remembered
class Learner(NamedTuple):
    """Parameters with the state of the optimiser that trains them."""

    theta: Tensor  # (m,)
    mean: Tensor  # (m,), of the gradient
    square: Tensor  # (m,), its mean square
    age: Tensor  # (), steps taken


def begin(theta: Tensor) -> Learner:
    """Returns parameters that have not been trained yet."""

    nothing = torch.zeros_like(theta)
    return Learner(theta.detach(), nothing, nothing, theta.new_zeros(()))


def descend(learner: Learner, objective: Callable[[Tensor], Tensor], rate: float) -> Learner:
    """Returns the parameters after one step of Adam down the slope of an objective, which maps them to a scalar."""

    theta = learner.theta.detach().requires_grad_()
    with torch.enable_grad():
        (slope,) = torch.autograd.grad(objective(theta), theta)
    age = learner.age + 1
    mean = torch.lerp(slope, learner.mean, DECAY)
    square = torch.lerp(slope.square(), learner.square, DECAY_OF_SQUARE)
    scale = (square / (1 - DECAY_OF_SQUARE**age)).sqrt() + 1e-8
    step = mean / (1 - DECAY**age) / scale
    return Learner(learner.theta - rate * step, mean, square, age)


def size(sizes: Sizes) -> int:
    """Returns the number of parameters of a perceptron."""

    return sum((n + 1) * m for n, m in pairwise(sizes))


def draw(sizes: Sizes, rng: Rng, like: Tensor) -> Tensor:
    """Draws the parameters of a perceptron, with shape (m,), that is 0 everywhere: those of its last layer are 0."""

    parts = [part for n, m in pairwise(sizes) for part in (randn((m * n,), rng, like) / n**0.5, like.new_zeros(m))]
    last = sizes[-2] * sizes[-1]
    return torch.cat([*parts[:-2], like.new_zeros(last), parts[-1]])


def layers(theta: Tensor, sizes: Sizes) -> list[tuple[Tensor, Tensor]]:
    """Returns weight (*, m, n) and bias (*, m) of every layer of perceptrons whose parameters are (*, m)."""

    shapes = list(pairwise(sizes))
    parts = iter(theta.split([k for n, m in shapes for k in (m * n, m)], -1))
    return [(next(parts).unflatten(-1, (m, n)), next(parts)) for n, m in shapes]


def perceptron(theta: Tensor, sizes: Sizes, x: Tensor) -> Tensor:
    """Maps points (n, d) by a perceptron (m), or (l, n, d) by l of them (l, m), to outputs (n, k) or (l, n, k)."""

    *hidden, (weight, bias) = layers(theta, sizes)
    for w, b in hidden:
        x = silu(_affine(x, w, b))
    return _affine(x, weight, bias)


def _affine(x: Tensor, w: Tensor, b: Tensor) -> Tensor:
    return torch.addmm(b, x, w.mT) if w.ndim == 2 else torch.baddbmm(b.unsqueeze(-2), x, w.mT)
