from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from ebmlab.engine.types import Reader, Rng, Window
from ebmlab.spec import Component, Registry


class Density(ABC):
    r"""Abstract normalised density :math:`p(x)` on :math:`\mathbb{R}^d`: what a target describes, ready to be asked.

    Attributes:
        dim: The dimension d.
    """

    dim: int = 2

    @abstractmethod
    def log_density(self, x: Tensor) -> Tensor:
        r"""Returns :math:`\log p(x)`, with shape :math:`(*)`, in the dtype and on the device of x.

        It is :math:`-\infty` outside the support. Arguments: x, with shape :math:`(*, d)`.
        """

    @abstractmethod
    def sample(self, n: int, rng: Rng) -> Tensor:
        r"""Draws n independent points, with shape :math:`(n, d)`, float32, on the device of the generator."""


class Target(Component, ABC):
    """Abstract description of what the data come from. It is a value; :meth:`build` does the work, once."""

    @abstractmethod
    def build(self, read: Reader, window: Window) -> Density:
        """Makes the density.

        Arguments:
            read: What reads files, if the target needs one.
            window: The rectangle of the plane that grids cover; a target that is exact ignores it.

        Raises:
            BadInput: If the parameters or the file do not make a density.
        """


class Held:
    """Constants of a density, kept in every dtype and on every device where they were asked for."""

    def __init__(self, *tensors: Tensor) -> None:
        self._tensors = tensors
        self._placed: dict[tuple[torch.dtype, torch.device], tuple[Tensor, ...]] = {}

    def like(self, x: Tensor) -> tuple[Tensor, ...]:
        """Returns the constants in the dtype and on the device of a tensor."""

        return self.on(x.device, x.dtype)

    def on(self, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, ...]:
        """Returns the constants in a dtype and on a device."""

        if (dtype, device) not in self._placed:
            with torch.inference_mode(False):  # or autograd would refuse them later
                self._placed[dtype, device] = tuple(t.to(device, dtype) for t in self._tensors)
        return self._placed[dtype, device]


class Chooser:
    r"""Draws indices with given probabilities, by inverting their cumulative sum in float64.

    Arguments:
        weights: Non-negative numbers, with shape :math:`(m)` and a positive sum.
    """

    def __init__(self, weights: Tensor) -> None:
        total = weights.double().cumsum(0)
        self._total = Held(total / total[-1])

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Draws n indices, on the device of the generator; one whose weight is zero is never drawn."""

        # MPS has no float64.
        dtype = torch.float32 if rng.device.type == "mps" else torch.float64
        (total,) = self._total.on(rng.device, dtype)
        u = torch.rand(n, generator=rng, dtype=dtype, device=rng.device)
        return torch.searchsorted(total, u, right=True).clamp_(max=len(total) - 1)


TARGETS: Registry[Target] = Registry("target")
