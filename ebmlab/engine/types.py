r"""Shapes and conventions, said once.

.. math:: p_\theta(x) = \frac{\exp(-E_\theta(x))}{Z_\theta}, \qquad
    Z_\theta = \int \exp(-E_\theta(x)) \, dx

An energy maps points, with shape :math:`(*, d)`, to energies, with shape :math:`(*)`. The temperature is 1 unless said.
The score is :math:`s_\theta(x) = \nabla_x \log p_\theta(x) = -\nabla_x E_\theta(x)`, with shape :math:`(*, d)`.
The plane, d = 2, is what the screen shows; nothing here assumes it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from torch import Tensor

Rng = torch.Generator
Energy = Callable[[Tensor], Tensor]
Window = tuple[float, float, float, float]
"""Left, right, bottom, top."""

T = TypeVar("T")


class Stage(NamedTuple):
    """A named part of a training step or of a transition, with what a view may draw of it.

    The name is one of: data, proposal, accepted, swap, resample, negatives, noise, positive, negative, update.
    """

    name: str
    text: str  # one sentence for the screen
    points: Tensor | None = None  # (n, d), the points concerned
    origin: Tensor | None = None  # (n, d), where they came from, for arrows


Stages = Generator[Stage, None, T]
"""A computation that pauses at each named stage and returns a T."""

Work = Generator[float, None, T]
"""A computation in pieces of a few milliseconds: it yields its progress in [0, 1] and returns a T."""


def finish(pieces: Generator[object, None, T]) -> T:
    """Runs a computation in stages or pieces to its end, without looking."""

    while True:
        try:
            next(pieces)
        except StopIteration as end:
            return end.value


class Reader(Protocol):
    """What reads the files that targets are made from; the engine itself touches none."""

    def points(self, path: str) -> np.ndarray:
        """Returns the points in a file, with shape (n, 2), float64."""

    def image(self, path: str) -> np.ndarray:
        """Returns a picture's brightness in [0, 1], with shape (rows, columns), the first row on top."""

    def text(self, text: str) -> np.ndarray:
        """Returns the ink of a text in [0, 1], with shape (rows, columns), the first row on top, nothing about it."""


def randn(shape: tuple[int, ...] | torch.Size, rng: Rng, like: Tensor) -> Tensor:
    """Draws standard normal numbers with the dtype and device of another tensor."""

    return torch.randn(shape, generator=rng, dtype=like.dtype, device=like.device)


def rand(shape: tuple[int, ...] | torch.Size, rng: Rng, like: Tensor) -> Tensor:
    """Draws uniform numbers in [0, 1) with the dtype and device of another tensor."""

    return torch.rand(shape, generator=rng, dtype=like.dtype, device=like.device)


def chunks(x: Tensor, size: int = 4096) -> Iterator[Tensor]:
    """Splits points into pieces that take milliseconds each."""

    return iter(x.split(size))
