from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ebmlab.engine.calculus import Jet
from ebmlab.engine.energies.base import ENERGIES, Confined, ConfinedNet, EnergyNet
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@ENERGIES.register("mixture")
@dataclass(frozen=True, kw_only=True)
class Mixture(Confined):
    r"""Mixture of Gaussians whose weights are free: the log-sum-exp of quadratics.

    .. math:: f_\theta(x) = -\log \sum_k \exp\Big(-\frac{1}{2} (x - m_k)^\top A_k \, (x - m_k) - b_k\Big), \qquad
        A_k = L_k L_k^\top

    Its log Z is known, here with the confinement at 0, so that every method that estimates it can be held against it:

    .. math:: \log Z = \log \sum_k e^{-b_k} \frac{(2 \pi)^{d/2}}{|\det L_k|}

    A component is only pulled by the data that it has a share in: one that starts far from all of them, or that others
    have crowded out, stays idle. Edges and thin curves take many components. Its few parameters want a rate about ten
    times that of a network.
    """

    size: ClassVar[str] = "components"

    components: int = knob(16, "Gaussians in the sum.", low=1, high=4096, scale="log", live=False)
    spread: float = knob(
        3.0, "Standard deviation of the centres about the origin, at the start.", low=0.0, high=1e3, live=False
    )
    precision: float = knob(
        1.0, "Precision of each Gaussian at the start, on the diagonal of A.", low=1e-6, high=1e6, live=False
    )

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return MixtureNet(self, self.spread * torch.randn(self.components, dim, generator=rng))


class MixtureNet(ConfinedNet):
    """The network of :class:`Mixture`."""

    def __init__(self, spec: Mixture, centres: Tensor) -> None:
        super().__init__(spec)
        k, dim = centres.shape
        self.centres = nn.Parameter(centres)
        self.factors = nn.Parameter((torch.eye(dim) * math.sqrt(spec.precision)).repeat(k, 1, 1))
        self.offsets = nn.Parameter(torch.zeros(k))

    def field(self, x: Tensor) -> Tensor:
        terms, _ = self._terms(x.reshape(-1, x.shape[-1]), self._precisions())
        return -terms.logsumexp(-1).view(x.shape[:-1])

    def field_value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        terms, pulls = self._terms(x, self._precisions())
        return -terms.logsumexp(-1), mean(terms.softmax(-1), pulls)

    def field_grad(self, x: Tensor) -> Tensor:
        terms, pulls = self._terms(x.detach(), self._precisions())
        return mean(terms.softmax(-1), pulls)

    def field_jet(self, x: Tensor, probe: Tensor | None) -> Jet:
        r"""Returns the jet, with the share :math:`r_k` of each component and its pull :math:`g_k = A_k (x - m_k)`.

        .. math:: \nabla f = \sum_k r_k \, g_k, \qquad
            v^\top \nabla^2 f \, v = \sum_k r_k \big( v^\top A_k v - (g_k \cdot v)^2 \big) + (\nabla f \cdot v)^2
        """

        precisions = self._precisions()
        terms, pulls = self._terms(x.detach(), precisions)
        shares = terms.softmax(-1)
        grad = mean(shares, pulls)
        if probe is None:
            forms = torch.einsum("iik->k", precisions)
            second = torch.linalg.vecdot(shares, forms - (pulls * pulls).sum(0)) + grad.square().sum(-1)
        else:
            v = probe.detach()
            each = v.t().unsqueeze(-1)
            forms, along = (each * (v @ precisions)).sum(0), (each * pulls).sum(0)
            second = torch.linalg.vecdot(shares, forms - along * along) + torch.linalg.vecdot(grad, v).square()
        return Jet(-terms.logsumexp(-1), grad, second)

    def _precisions(self) -> Tensor:
        """Returns every A, with shape (d, d, k): long rows are fast."""

        return torch.einsum("kil,kjl->ijk", self.factors, self.factors)

    def _terms(self, x: Tensor, precisions: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the log of each term, with shape (n, k), and each component's pull, with shape (d, n, k)."""

        centres = self.centres.t()
        pulls = x @ precisions - (precisions * centres).sum(1, keepdim=True)
        away = x.t().unsqueeze(-1) - centres.unsqueeze(1)
        return (away * pulls).sum(0) / -2 - self.offsets, pulls


def mean(shares: Tensor, pulls: Tensor) -> Tensor:
    """Returns the mean of the pulls, with shape (n, d), by shares with shape (n, k)."""

    return (shares * pulls).sum(-1).t().contiguous()
