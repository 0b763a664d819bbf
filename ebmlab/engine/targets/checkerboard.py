from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.targets.base import TARGETS, Density, Held, Target
from ebmlab.engine.types import Reader, Rng, Window
from ebmlab.spec import knob


@TARGETS.register("checkerboard")
@dataclass(frozen=True, kw_only=True)
class Checkerboard(Target):
    r"""Uniform on every other square of a board.

    .. math:: p(x) = \frac{1}{m a^2} \;\; \text{where} \;\;
        \left\lfloor \tfrac{x_1 + A}{a} \right\rfloor + \left\lfloor \tfrac{x_2 + A}{a} \right\rfloor
        \;\; \text{is even,} \qquad 0 \;\; \text{elsewhere}

    The board spans :math:`[-A, A]^2`; its squares have the side a, and m of them hold the mass.
    """

    squares: int = knob(4, "Squares along each side of the board.", low=1, high=32, soft=(1, 8))
    extent: float = knob(4.0, "Half the side A of the board.", low=0.01, high=1000.0, soft=(1.0, 6.0), symbol="A")

    def build(self, read: Reader, window: Window) -> Density:
        return BoardDensity(self)


class BoardDensity(Density):
    """The density of :class:`Checkerboard`."""

    def __init__(self, board: Checkerboard) -> None:
        self.board = board
        self.side = 2 * board.extent / board.squares
        index = torch.cartesian_prod(torch.arange(board.squares), torch.arange(board.squares))
        filled = index[index.sum(-1) % 2 == 0]
        self._log_height = -math.log(len(filled) * self.side**2)
        self._corners = Held(filled.double() * self.side - board.extent)

    def log_density(self, x: Tensor) -> Tensor:
        index = torch.floor((x + self.board.extent) / self.side)
        inside = ((index >= 0) & (index < self.board.squares)).all(-1) & (index.sum(-1) % 2 == 0)
        return x.new_full(inside.shape, -math.inf).masked_fill(inside, self._log_height)

    def sample(self, n: int, rng: Rng) -> Tensor:
        (corners,) = self._corners.on(rng.device, torch.float32)
        k = torch.randint(len(corners), (n,), generator=rng, device=rng.device)
        # A millionth off each edge, or rounding would put some points into a neighbour, where p = 0.
        u = 1e-6 + (1 - 2e-6) * torch.rand(n, 2, generator=rng, device=rng.device)
        return corners[k] + self.side * u
