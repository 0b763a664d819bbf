from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ebmlab.engine.energies.base import ENERGIES, EnergyNet, Normalised, NormalisedNet
from ebmlab.engine.energies.gaussians import PACE
from ebmlab.engine.flows import HALF_LOG_TAU, seeded
from ebmlab.engine.types import Rng, randn
from ebmlab.spec import knob

LOG_RANGE = 7.0
"""Standard deviations stay within this many factors of e of their first value, so that no energy overflows."""


@ENERGIES.register("autoregressive")
@dataclass(frozen=True, kw_only=True)
class Autoregressive(Normalised):
    r"""Autoregressive model.

    .. math:: p_\theta(x) = \prod_i p_\theta(x_i \mid x_1, \dots, x_{i-1}), \qquad
        p_\theta(x_i \mid \cdot) = \sum_{j=1}^{K} w_{ij} \, \mathcal{N}(x_i; m_{ij}, s_{ij}^2)

    By the chain rule a density is a product of conditionals in one variable each, and each is normalised by itself.
    Here they are mixtures of Gaussians whose weights, means and widths a masked network reads off the coordinates
    before. The order matters: what is simple in one may be hard in the other, and the law of the first coordinate is
    a mere mixture. Sampling takes one turn per coordinate.

    References:
        | RNADE: the real-valued neural autoregressive density-estimator (Uria, Murray & Larochelle, 2013)
        | https://arxiv.org/abs/1306.0186
        | MADE: masked autoencoder for distribution estimation (Germain, Gregor, Murray & Larochelle, 2015)
        | https://arxiv.org/abs/1502.03509
    """

    size: ClassVar[str] = "width"

    components: int = knob(8, "Gaussians K in each conditional.", low=1, high=256, scale="log", symbol="K", live=False)
    width: int = knob(64, "Units in each hidden layer.", low=1, high=1024, scale="log", live=False)
    depth: int = knob(2, "Hidden layers.", low=1, high=8, live=False)
    half_width: float = knob(
        4.0, "The means start within this distance of the origin along each axis.", low=1e-3, high=1e3, live=False
    )

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return AutoregressiveNet(self, rng, dim)


class AutoregressiveNet(NormalisedNet):
    """The network of :class:`Autoregressive`; the conditionals' first values are the same wherever one looks.

    Attributes:
        start: Logits, means over the half-width, and log widths without their first value, each with shape (d, K),
            in units of the pace; the network adds to them.
    """

    def __init__(self, spec: Autoregressive, rng: Rng, dim: int) -> None:
        super().__init__(spec)
        k = spec.components
        means = ((torch.arange(k) + 0.5) * (2 / k) - 1).expand(dim, k)
        self.start = nn.Parameter(torch.stack([torch.zeros(dim, k), means / PACE, torch.zeros(dim, k)]))
        self.masked = masked(dim, 3 * k, [spec.width] * spec.depth, rng) if dim > 1 else None

    def log_density(self, x: Tensor) -> Tensor:
        log_weights, means, log_widths = self._conditionals(x)
        z = (x.unsqueeze(-1) - means) * torch.exp(-log_widths)
        return torch.logsumexp(log_weights - log_widths - z.square() / 2 - HALF_LOG_TAU, -1).sum(-1)

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        x = self.start.new_zeros(n, self.start.shape[1])
        for i in range(x.shape[1]):
            log_weights, means, log_widths = (part[:, i] for part in self._conditionals(x))
            which = torch.multinomial(log_weights.exp(), 1, generator=rng)
            spread = log_widths.gather(1, which).exp() * randn((n, 1), rng, x)
            x[:, i] = (means.gather(1, which) + spread).squeeze(1)
        return x

    def _conditionals(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Returns log weights, means and log widths for points with shape (*, d), each with shape (*, d, K)."""

        raw = PACE * self.start.movedim(0, 1).expand(*x.shape[:-1], -1, -1, -1)  # (*, d, 3, K)
        if self.masked is not None:
            raw = raw + self.masked(x / self.spec.half_width).view(raw.shape)
        logits, means, bends = raw.unbind(-2)
        first = math.log(2 * self.spec.half_width / self.spec.components)
        log_widths = first + LOG_RANGE * torch.tanh(bends / LOG_RANGE)
        return logits.log_softmax(-1), means * self.spec.half_width, log_widths


def masked(dim: int, outputs: int, hidden: list[int], rng: Rng) -> nn.Module:
    """Makes a network whose outputs, some for each coordinate, depend on the coordinates before it alone."""

    from zuko.nn import MaskedMLP  # slow to import

    before = torch.ones(dim, dim, dtype=torch.bool).tril(-1)
    return seeded(lambda: MaskedMLP(before.repeat_interleave(outputs, 0), hidden, activation=nn.SiLU), rng)
