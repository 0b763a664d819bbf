from __future__ import annotations

from abc import ABC, abstractmethod

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


TARGETS: Registry[Target] = Registry("target")
