from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ebmlab.engine.calculus import Jet
from ebmlab.engine.energies.base import ENERGIES, Confined, ConfinedNet, EnergyNet
from ebmlab.engine.types import Rng
from ebmlab.spec import BadInput, knob

PIECES = (
    ((1, 4, 1, 0), (-3, 0, 3, 0), (3, -6, 3, 0), (-1, 3, -3, 1)),  # of 1, t, t², t³ in the four weights, times 6
    ((-3, 0, 3, 0), (6, -12, 6, 0), (-3, 9, -9, 3), (0, 0, 0, 0)),  # in their slopes
    ((6, -12, 6, 0), (-6, 18, -18, 6), (0, 0, 0, 0), (0, 0, 0, 0)),  # in the slopes of these
)


@ENERGIES.register("lattice")
@dataclass(frozen=True, kw_only=True)
class FreeLattice(Confined):
    r"""Free values on a lattice, blended by cubic B-splines.

    .. math:: f_\theta(x) = g \sum_{ij} \theta_{ij} \, \beta\Big(\frac{x_1 + w}{h} - i\Big) \,
        \beta\Big(\frac{x_2 + w}{h} - j\Big), \qquad h = \frac{2 w}{R - 1}

    .. math:: \beta(t) = \frac{(2 - |t|)_+^3 - 4 (1 - |t|)_+^3}{6}

    Any shape that the spacing h resolves, with a convex objective for maximum likelihood; and no notion of what lies
    between data: each value is learnt from the points within two cells of it, so that a value that no point and no
    negative comes near stays at 0, where it started. Twice continuously differentiable, as score matching needs. Beyond
    the border its values go on for ever, so that a cell farther out the field is constant along the normal.

    References:
        | Splines: A Perfect Fit for Signal and Image Processing (Unser, 1999)
        | https://doi.org/10.1109/79.799930
    """

    size: ClassVar[str] = "resolution"

    resolution: int = knob(
        32, "Values R along each axis.", low=2, high=512, scale="log", soft=(8, 128), symbol="R", live=False
    )
    half_width: float = knob(
        6.0,
        "The lattice ends at this distance w from the origin along each axis.",
        low=1e-3,
        high=1e3,
        symbol="w",
        live=False,
    )
    gain: float = knob(
        10.0,
        "Energy g that a stored 1 stands for; with more, optimisers of fixed stride learn faster and less finely.",
        low=1e-3,
        high=1e3,
        scale="log",
        soft=(1.0, 100.0),
        symbol="g",
        live=False,
    )

    def caution(self) -> str:
        return "" if self.confinement else "constant outside the lattice, so that no density belongs to this energy"

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        if dim > 2:
            raise BadInput(
                f"a lattice covers a line or a plane, and the target has {dim} dimensions; choose another energy"
            )
        return LatticeNet(self, dim)


class LatticeNet(ConfinedNet):
    """The network of :class:`FreeLattice`, on a line or in the plane."""

    pieces: Tensor  # (4, s * 4), powers of t to the weights of each order

    def __init__(self, spec: FreeLattice, dim: int) -> None:
        super().__init__(spec)
        self.values = nn.Parameter(torch.zeros((spec.resolution,) * dim))
        self.register_buffer(
            "pieces", torch.tensor(PIECES, dtype=torch.float32).transpose(0, 1).flatten(1), persistent=False
        )

    def field(self, x: Tensor) -> Tensor:
        return self._mixed(x.reshape(-1, x.shape[-1]), 0)[:, 0, 0].view(x.shape[:-1])

    def field_value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        mixed = self._mixed(x, 1)
        return mixed[:, 0, 0], self._grad(mixed)

    def field_grad(self, x: Tensor) -> Tensor:
        return self._grad(self._mixed(x.detach(), 1))

    def field_jet(self, x: Tensor, probe: Tensor | None) -> Jet:
        mixed = self._mixed(x.detach(), 2)
        second = along(mixed, 2)
        if probe is None:
            form = second.sum(-1)
        else:
            v = probe.detach()
            form = torch.linalg.vecdot(v * v, second)
            if len(self.values.shape) == 2:
                form = form + 2 * v.prod(-1) * mixed[:, 1, 1]
        return Jet(mixed[:, 0, 0], self._grad(mixed), form / self._spacing() ** 2)

    def _grad(self, mixed: Tensor) -> Tensor:
        return along(mixed, 1) / self._spacing()

    def _spacing(self) -> float:
        return 2 * self.spec.half_width / (self.spec.resolution - 1)

    def _mixed(self, x: Tensor, order: int) -> Tensor:
        """Returns the derivatives along the first axis and, crossed with them, along the second.

        Their shape is (n, order + 1, order + 1), on a line (n, order + 1, 1), and their unit of length a cell.
        """

        last = self.spec.resolution - 1
        at = ((x + self.spec.half_width) / self._spacing()).clamp(-1, last + 1)  # it is constant farther out
        corner = at.detach().floor().clamp(max=last)
        t = at - corner
        powers = torch.stack([torch.ones_like(t), t, t * t, t * t * t], -1)
        weights = (powers @ self.pieces[:, : 4 * (order + 1)]).unflatten(-1, (-1, 4)) / 6
        near = (corner.long().unsqueeze(-1) + torch.arange(-1, 3, device=x.device)).clamp(0, last)  # (n, d, 4)
        if x.shape[-1] == 1:
            values = self.values[near[:, 0]].unsqueeze(-1)
            return weights[:, 0] @ (values * self.spec.gain)
        values = self.values[near[:, 0].unsqueeze(2), near[:, 1].unsqueeze(1)]  # (n, 4, 4)
        return weights[:, 0] @ (values * self.spec.gain) @ weights[:, 1].mT


def along(mixed: Tensor, order: int) -> Tensor:
    """Returns the derivatives of one order along each axis, with shape (n, d)."""

    if mixed.shape[-1] == 1:
        return mixed[:, order]
    return torch.stack([mixed[:, order, 0], mixed[:, 0, order]], -1)
