"""Optimisers, as frozen parameters over torch's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, optim

from ebmlab.spec import Component, Registry, knob


@dataclass(frozen=True, kw_only=True)
class Optimizer(Component, ABC):
    """Abstract description of an optimiser."""

    keeps: ClassVar[tuple[str, ...]] = ()
    """What torch keeps for each tensor of weights once it has moved: ``step``, a number, and tensors of its shape."""

    rate: float = knob(1e-3, "Learning rate η.", low=0.0, high=10.0, soft=(1e-5, 1e-1), scale="log", symbol="η")

    @abstractmethod
    def build(self, parameters: Iterable[Tensor]) -> optim.Optimizer:
        """Makes the optimiser."""

    @abstractmethod
    def settings(self) -> dict[str, object]:
        """Returns the settings that torch keeps per group of parameters; replacing them retunes the optimiser."""


OPTIMIZERS: Registry[Optimizer] = Registry("optimizer")


@OPTIMIZERS.register("adam")
@dataclass(frozen=True, kw_only=True)
class Adam(Optimizer):
    r"""Adam.

    .. math:: \theta' = \theta - \eta \, \hat m / (\sqrt{\hat v} + \varepsilon)

    References:
        | Adam: A method for stochastic optimization (Kingma & Ba, 2015)
        | https://arxiv.org/abs/1412.6980
    """

    keeps: ClassVar[tuple[str, ...]] = ("step", "exp_avg", "exp_avg_sq")

    momentum: float = knob(0.9, "Decay β₁ of the mean of the gradient.", low=0.0, high=0.9999, symbol="β₁")
    inertia: float = knob(0.999, "Decay β₂ of the mean of its square.", low=0.0, high=0.99999, symbol="β₂")

    def build(self, parameters: Iterable[Tensor]) -> optim.Optimizer:
        return optim.Adam(list(parameters), fused=True, **self.settings())  # type: ignore[arg-type]

    def settings(self) -> dict[str, object]:
        return {"lr": self.rate, "betas": (self.momentum, self.inertia)}


@OPTIMIZERS.register("sgd")
@dataclass(frozen=True, kw_only=True)
class SGD(Optimizer):
    r"""Stochastic gradient descent with momentum.

    .. math:: m' = \mu \, m + \nabla_\theta L, \qquad \theta' = \theta - \eta \, m'
    """

    keeps: ClassVar[tuple[str, ...]] = ("momentum_buffer",)

    momentum: float = knob(0.0, "Momentum μ.", low=0.0, high=0.9999, symbol="μ")

    def build(self, parameters: Iterable[Tensor]) -> optim.Optimizer:
        return optim.SGD(list(parameters), **self.settings())  # type: ignore[arg-type]

    def settings(self) -> dict[str, object]:
        return {"lr": self.rate, "momentum": self.momentum}
