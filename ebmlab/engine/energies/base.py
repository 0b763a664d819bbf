from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from ebmlab.engine import calculus
from ebmlab.engine.calculus import Jet
from ebmlab.engine.types import Rng
from ebmlab.spec import Component, Registry, knob

BLOCK = 512
"""Points that a processor evaluates at once where no graph is wanted: twice as fast as many at a time."""


class EnergySpec(Component, ABC):
    r"""Abstract description of an energy. It is a value; :meth:`build` makes the network."""

    section: ClassVar[str] = "energy"
    """The heading that catalogues list it under."""

    size: ClassVar[str] = ""
    """The knob that the number of parameters grows with; empty if none does."""

    @property
    def smooth(self) -> bool:
        """Whether the gradient is continuous: score matching does not see the curvature in a kink."""

        return True

    @abstractmethod
    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        """Makes a network with fresh weights, float32 on the CPU, drawn from the generator alone."""


@dataclass(frozen=True, kw_only=True)
class Confined(EnergySpec, ABC):
    r"""Abstract description of a regression function, confined so that its energy may be normalised.

    .. math:: E_\theta(x) = f_\theta(x) + \frac{c}{2} |x|^2
    """

    confinement: float = knob(
        0.02,
        "Adds c|x|²/2, so that the energy grows far out and can be normalised.",
        low=0.0,
        high=100.0,
        soft=(0.0, 1.0),
        symbol="c",
    )


@dataclass(frozen=True, kw_only=True)
class Normalised(EnergySpec, ABC):
    r"""Abstract description of a model whose density is known in closed form, so that its energy is normalised.

    .. math:: E_\theta(x) = -\log p_\theta(x), \qquad Z_\theta = 1
    """

    section: ClassVar[str] = "normalised"


class EnergyNet(nn.Module, ABC):
    r"""Abstract network :math:`E_\theta`; calling it maps points :math:`(*, d)` to energies :math:`(*)`.

    One that knows its derivatives in x better than automatic differentiation says so by methods named as the functions
    of :mod:`ebmlab.engine.calculus`.

    Attributes:
        spec: The description; its live knobs are read at each call, so replacing it retunes the network.
    """

    spec: Any

    def __init__(self, spec: EnergySpec) -> None:
        super().__init__()
        self.spec = spec

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        r"""Returns :math:`E_\theta(x)`, with shape :math:`(*)`."""

    def observe(self, x: Tensor) -> None:
        """Takes note of a batch that has been trained on, with shape (n, d); most networks have no use for it."""

    def named_figures(self) -> dict[str, float]:
        """Returns the learnt parameters that have a name worth reading, such as a formula's."""

        return {}

    def bounds(self, x: Tensor, rng: Rng) -> dict[str, float]:
        r"""Returns the bounds on the mean of :math:`\log p_\theta` over points that the model has, by their names."""

        return {}


class ConfinedNet(EnergyNet, ABC):
    r"""Abstract network of a confined energy.

    A subclass writes :meth:`field`, the part without the confinement; one that knows its derivatives in closed form
    also writes :meth:`field_value_and_grad`, :meth:`field_grad` and :meth:`field_jet`, which are slow by default.
    """

    @abstractmethod
    def field(self, x: Tensor) -> Tensor:
        r"""Returns :math:`f_\theta(x)`, with shape :math:`(*)`."""

    def field_value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        r"""Returns :math:`f` and :math:`\nabla_x f` for x with shape :math:`(n, d)`, detached."""

        return calculus.value_and_grad(self.field, x)

    def field_grad(self, x: Tensor) -> Tensor:
        r"""Returns :math:`\nabla_x f_\theta`, differentiable in :math:`\theta`."""

        return calculus.gradient(self.field, x)

    def field_jet(self, x: Tensor, probe: Tensor | None) -> Jet:
        r"""Returns value, gradient and second-order form of f, differentiable in :math:`\theta`."""

        return calculus.jet(self.field, x, probe)

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() or not _long(x):
            return torch.add(self.field(x), torch.linalg.vecdot(x, x), alpha=self.spec.confinement / 2)
        values = [self(block) for block in x.reshape(-1, x.shape[-1]).split(BLOCK)]
        return torch.cat(values).view(x.shape[:-1])

    @torch.no_grad()
    def value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        if _long(x):
            values, grads = zip(*(self.value_and_grad(block) for block in x.split(BLOCK)))
            return torch.cat(values), torch.cat(grads)
        value, grad = self.field_value_and_grad(x)
        c = self.spec.confinement
        return torch.add(value, torch.linalg.vecdot(x, x), alpha=c / 2), torch.add(grad, x, alpha=c)

    def gradient(self, x: Tensor) -> Tensor:
        return torch.add(self.field_grad(x), x.detach(), alpha=self.spec.confinement)

    def jet(self, x: Tensor, probe: Tensor | None = None) -> Jet:
        value, grad, second = self.field_jet(x, probe)
        c, x = self.spec.confinement, x.detach()
        form = x.shape[-1] if probe is None else torch.linalg.vecdot(probe, probe)
        value = torch.add(value, torch.linalg.vecdot(x, x), alpha=c / 2)
        return Jet(value, torch.add(grad, x, alpha=c), second + c * form)


class NormalisedNet(EnergyNet, ABC):
    r"""Abstract network of a normalised model: its energy is :math:`-\log p_\theta`."""

    @abstractmethod
    def log_density(self, x: Tensor) -> Tensor:
        r"""Returns :math:`\log p_\theta(x)`, with shape :math:`(*)`, for x with shape :math:`(*, d)`."""

    @abstractmethod
    def sample(self, n: int, rng: Rng) -> Tensor:
        r"""Draws n independent points, with shape :math:`(n, d)`, in the dtype and on the device of the weights."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() or not _long(x):
            return -self.log_density(x)
        return torch.cat([self(block) for block in x.reshape(-1, x.shape[-1]).split(BLOCK)]).view(x.shape[:-1])


def _long(x: Tensor) -> bool:
    """Returns whether points are so many that their activations overflow the processor's cache."""

    return x.device.type == "cpu" and x.shape[:-1].numel() > BLOCK


ENERGIES: Registry[EnergySpec] = Registry("energy")


def count(net: nn.Module) -> int:
    """Returns the number of parameters."""

    return sum(p.numel() for p in net.parameters())
