from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.quadrature import PlaneRule, like_of, rule, values_at
from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import knob

POINTS = 256
STEP = 1e-3
"""How far β is moved for the differences."""


@MEASURES.register("free-energy")
@dataclass(frozen=True, kw_only=True)
class FreeEnergy(Measure):
    r"""Log Z over the inverse temperature, and what its derivatives must be.

    .. math:: \frac{d \log Z_\beta}{d \beta} = -\mathbb{E}_\beta[E], \qquad
        \frac{d^2 \log Z_\beta}{d \beta^2} = \operatorname{Var}_\beta[E]

    All by quadrature. The figures are ``log_z``, ``energy`` and ``capacity``, the mean and the variance of E, and
    ``slope`` and ``curvature``, the differences of :math:`\log Z` that they must equal.
    """

    beta: float = knob(1.0, "Inverse temperature β.", low=1e-3, high=1e3, soft=(0.1, 4.0), scale="log", symbol="β")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        plane, pieces = rule(session.recipe.window, POINTS), []
        for piece in values_at(session.net, plane.points, like_of(session.net)):
            pieces.append(piece)
            yield len(pieces) * 4096 / len(plane.points)
        energy = torch.cat(pieces)
        below, here, above = (_log_z(plane, energy, self.beta + by) for by in (-STEP, 0.0, STEP))
        share = torch.exp(plane.log_weights - self.beta * energy - here)
        mean = (share * energy).sum()
        return {
            "log_z": here,
            "energy": mean.item(),
            "capacity": (share * (energy - mean).square()).sum().item(),
            "slope": (above - below) / (2 * STEP),
            "curvature": (above - 2 * here + below) / STEP**2,
        }


def _log_z(plane: PlaneRule, energy: Tensor, beta: float) -> float:
    return torch.logsumexp(plane.log_weights - beta * energy, 0).item()
