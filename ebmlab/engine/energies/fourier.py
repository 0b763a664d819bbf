from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor, nn

from ebmlab.engine.energies.base import ENERGIES, Confined, EnergyNet
from ebmlab.engine.energies.bend import BENDS
from ebmlab.engine.energies.blocks import Layer
from ebmlab.engine.energies.layered import Chain, LayeredNet
from ebmlab.engine.energies.mlp import linear, stack
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@ENERGIES.register("fourier")
@dataclass(frozen=True, kw_only=True)
class Fourier(Confined):
    r"""Waves of random frequencies, and a multilayer perceptron on them.

    .. math:: f_\theta(x) = \text{MLP}(\gamma(x)), \qquad \gamma(x) = \big(\cos \Omega x, \; \sin \Omega x\big), \qquad
        \Omega_{ij} \sim \mathcal{N}(0, s^2)

    Plain perceptrons learn slow changes first and fine detail late; the scale s says how fine to look from the start.
    Too large a scale fits noise, and the waves go on for ever: where there are no data they make wells that mean
    nothing, and only the confinement keeps the energy from being bounded.

    References:
        | Fourier Features Let Networks Learn High Frequency Functions in Low Dimensional Domains (Tancik et al., 2020)
        | https://arxiv.org/abs/2006.10739
        | Random Features for Large-Scale Kernel Machines (Rahimi & Recht, 2007)
        | https://proceedings.neurips.cc/paper/2007/hash/013a006f03dbc5392effeb8f18fda755-Abstract.html
    """

    size: ClassVar[str] = "count"

    count: int = knob(64, "Frequencies, each with its cosine and sine.", low=1, high=4096, scale="log", live=False)
    scale: float = knob(
        1.0,
        "Standard deviation s of the frequencies, in radians per unit of length.",
        low=1e-3,
        high=1e3,
        scale="log",
        soft=(0.1, 10.0),
        symbol="s",
        live=False,
    )
    learnt: bool = knob(False, "Whether the frequencies are learnt too.", live=False)
    width: int = knob(128, "Units in each hidden layer.", low=1, high=1024, scale="log", live=False)
    depth: int = knob(1, "Hidden layers; with 0 the energy is a weighted sum of waves.", low=0, high=8, live=False)
    activation: str = knob("silu", "What bends each unit.", choices=tuple(BENDS), live=False)

    @property
    def smooth(self) -> bool:
        return self.activation != "relu" or self.depth == 0

    def caution(self) -> str:
        return "" if self.confinement else "waves alone are bounded, so that no density belongs to this energy"

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return FourierNet(self, rng, dim)


class FourierNet(LayeredNet):
    """The network of :class:`Fourier`."""

    frequencies: Tensor  # (count, d)

    def __init__(self, spec: Fourier, rng: Rng, dim: int) -> None:
        super().__init__(spec)
        frequencies = spec.scale * torch.randn(spec.count, dim, generator=rng)
        if spec.learnt:
            self.frequencies = nn.Parameter(frequencies)
        else:
            self.register_buffer("frequencies", frequencies)
        sizes = [2 * spec.count] + [spec.width] * spec.depth
        self.hidden = nn.ModuleList(linear(n, m, rng) for n, m in pairwise(sizes))
        self.head = linear(sizes[-1], 1, rng)
        self.bend = BENDS[spec.activation]

    def field(self, x: Tensor) -> Tensor:
        angles = x @ self.frequencies.t()
        h = torch.cat([angles.cos(), angles.sin()], -1)
        for layer in self.hidden:
            h = self.bend(layer(h))
        return self.head(h).squeeze(-1)

    def chain(self) -> Chain:
        phases = self.frequencies.new_zeros(2, self.spec.count)
        phases[1] = -math.pi / 2  # the sine is a cosine that comes later
        waves = Layer(torch.cat([self.frequencies, self.frequencies]), phases.flatten(), cosine)
        return Chain([waves, *stack(self.hidden, self.bend)], self.head.weight, self.head.bias)


def cosine(a: Tensor, order: int) -> list[Tensor]:
    """The series of the cosine."""

    up, aside = torch.cos(a), torch.sin(a)
    return [up, -aside, -up, aside][: order + 1]
