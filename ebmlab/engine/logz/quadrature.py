from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene
from ebmlab.engine.quadrature import FOLD, integral, rule, values_at
from ebmlab.engine.types import Rng
from ebmlab.spec import BadInput, knob


@LOG_ZS.register("quadrature")
@dataclass(frozen=True, kw_only=True)
class Quadrature(LogZMethod):
    r"""Quadrature on a lattice of the plane.

    .. math:: \log \hat{Z} = \log \sum_g w_g \exp(-E(x_g))

    The trapezoid rule in a coordinate that is nearly even in the window and stretches twenty half-widths out. For
    smooth energies the error falls faster than any power of the spacing, and it is estimated rather than assumed. It
    needs :math:`k^d` points: the plane is as far as it goes.

    References:
        | The exponentially convergent trapezoidal rule (Trefethen & Weideman, 2014)
        | https://doi.org/10.1137/130932132
    """

    resolution: int = knob(
        256,
        "Points k along each axis, rounded down to a multiple of 16.",
        low=32,
        high=2048,
        soft=(32, 512),
        scale="log",
        symbol="k",
    )

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        if scene.dim > 2:
            message = f"quadrature needs k^d points, here {self.resolution}^{scene.dim}; use ais above two dimensions"
            raise BadInput(message)
        sizes = sorted({self.resolution // part // FOLD * FOLD for part in (8, 4, 2, 1)} - {0})
        total = sum(n**scene.dim for n in sizes)
        last = LogZ(math.nan, math.inf, 0.0, 0)
        for n in sizes:
            plane = rule(scene.window, n, scene.dim)
            pieces: list[Tensor] = []
            for piece in values_at(scene.energy, plane.points, scene.like):
                pieces.append(piece)
                done = last.evaluations + len(piece)
                last = last._replace(progress=done / total, evaluations=done)
                if sum(map(len, pieces)) < len(plane.points):
                    yield last
            found = integral(plane, torch.cat(pieces), torch.finfo(scene.like.dtype).eps)
            last = last._replace(value=found.log_z, stderr=found.error, warning=found.why)
            yield last
