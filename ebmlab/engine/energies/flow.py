from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.energies.base import ENERGIES, EnergyNet, Normalised, NormalisedNet
from ebmlab.engine.flows import Bijection
from ebmlab.engine.types import Rng, randn
from ebmlab.spec import knob


@ENERGIES.register("flow")
@dataclass(frozen=True, kw_only=True)
class Flow(Normalised):
    r"""Normalising flow.

    .. math:: \log p_\theta(x) = \log \mathcal{N}(f_\theta(x); 0, I)
        + \log \left| \det \frac{\partial f_\theta}{\partial x} \right|

    An invertible map f turns data into normal noise, and its inverse turns noise into samples. Splines bend each
    coordinate by a monotonic curve of pieces that depends on the coordinates before it; couplings scale and shift one
    half of the coordinates by what depends on the other, and leave that half as it is.

    The map is continuous and so is its inverse, so that the noise, which is in one piece, cannot be torn into several:
    thin bridges remain between modes that lie apart, and a hole is never empty. The score of a spline jumps at its
    knots, with curvature that no second derivative shows, so that implicit score matching goes wrong on it.

    References:
        | Density estimation using Real NVP (Dinh, Sohl-Dickstein & Bengio, 2017)
        | https://arxiv.org/abs/1605.08803
        | Neural spline flows (Durkan, Bekasov, Murray & Papamakarios, 2019)
        | https://arxiv.org/abs/1906.04032
    """

    size: ClassVar[str] = "width"

    transform: str = knob("spline", "The kind of map.", choices=("spline", "coupling"), live=False)
    transforms: int = knob(3, "How many maps follow each other.", low=1, high=16, live=False)
    width: int = knob(64, "Units in each hidden layer of each map.", low=1, high=1024, scale="log", live=False)
    depth: int = knob(2, "Hidden layers of each map.", low=1, high=8, live=False)
    scale: float = knob(
        2.0,
        "Length s: the flow starts near a Gaussian of this width, and splines bend within five of it.",
        low=1e-3,
        high=1e3,
        soft=(0.1, 10.0),
        scale="log",
        symbol="s",
        live=False,
    )

    @property
    def smooth(self) -> bool:
        return self.transform != "spline"

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return FlowNet(self, rng, dim)


class FlowNet(NormalisedNet):
    """The network of :class:`Flow`."""

    def __init__(self, spec: Flow, rng: Rng, dim: int) -> None:
        super().__init__(spec)
        self.dim = dim
        self.bijection = Bijection(spec.transform, (spec.transforms, spec.width, spec.depth), spec.scale, rng, dim)

    def log_density(self, x: Tensor) -> Tensor:
        return self.bijection.log_density(x)

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        return self.bijection.inverse(randn((n, self.dim), rng, next(self.parameters())))
