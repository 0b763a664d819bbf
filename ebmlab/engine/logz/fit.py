r"""Mixtures of normal laws, fitted to an energy through its gradient in x alone.

With :math:`w = \exp(-E) / q`, means and factors are moved along the path of a draw :math:`y = \mu_k + L_k z`. These
gradients vanish draw by draw where q is the model, not only on average. The weights of the components,
:math:`\pi = \operatorname{softmax}(a)`, are moved by how much of a draw belongs to each:

.. math:: \nabla_\phi \, \tfrac{1}{\alpha} \log \operatorname{E}_q[w^\alpha] =
    (1 - \alpha) \operatorname{E}\left[\omega \, \nabla_y \log w \; \nabla_\phi y\right], \qquad
    \omega = \frac{w^\alpha}{\operatorname{E}_q[w^\alpha]}

.. math:: \nabla_a \, \tfrac{1}{\alpha} \log \operatorname{E}_q[w^\alpha] =
    (1 - \alpha) \operatorname{E}\left[\frac{\omega - 1}{\alpha} \, \nabla_a \log q\right]

The order 0 is the limit :math:`\operatorname{E}_q[\log w]`, which lies below :math:`\log Z` and is raised; the order 2
lies above and is lowered; in between, the direction is the same.

References:
    | Sticking the landing: simple, lower-variance gradient estimators for variational inference (Roeder et al., 2017)
    | https://arxiv.org/abs/1703.09194
    | Doubly reparameterized gradient estimators for Monte Carlo objectives (Tucker et al., 2019)
    | https://arxiv.org/abs/1810.04152
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.types import Energy, Rng, randn

_FIRST, _SECOND, _NOUGHT = 0.8, 0.9, 1e-8
_ORDERS, _RULERS, _FAR = 12, 8.0, 1e6


class Mixture(NamedTuple):
    r"""The law :math:`q(y) = \sum_k \pi_k \, \mathcal{N}(y; \mu_k, L_k L_k^\top)`, as what is learnt of it."""

    logits: Tensor  # (m,), a
    means: Tensor  # (m, d)
    raw: Tensor  # (m, d, d): the factors below the diagonal, and the logarithms of their diagonals

    @property
    def factors(self) -> Tensor:
        return self.raw.tril(-1) + torch.diag_embed(self.raw.diagonal(dim1=-2, dim2=-1).exp())

    @property
    def sound(self) -> bool:
        """Whether the factors can be inverted without loss of all digits."""

        sizes = self.factors.norm(dim=(-2, -1)), self.whiten().norm(dim=(-2, -1))
        return bool((sizes[0] * sizes[1] * torch.finfo(self.raw.dtype).eps < 1e-3).all())

    def whiten(self) -> Tensor:
        """Returns the inverse factors, with shape (m, d, d)."""

        eye = torch.eye(self.means.shape[-1], dtype=self.means.dtype, device=self.means.device)
        return torch.linalg.solve_triangular(self.factors, eye, upper=False)

    def draw(self, n: int, rng: Rng) -> Tensor:
        """Draws n independent points, with shape (n, d)."""

        k = torch.multinomial(self.logits.softmax(-1), n, replacement=True, generator=rng)
        z = randn((n, self.means.shape[-1], 1), rng, self.means)
        return self.means[k] + (self.factors[k] @ z).squeeze(-1)

    def look(self, y: Tensor) -> Look:
        """Returns the density, and whence it comes, at points with shape (n, d)."""

        m, d = self.means.shape
        whiten = self.whiten()
        z = torch.einsum("mij,nmj->nmi", whiten, y.unsqueeze(-2) - self.means)
        peak = self.logits.log_softmax(-1) - self.raw.diagonal(dim1=-2, dim2=-1).sum(-1)
        joint = peak - d / 2 * math.log(2 * math.pi) - z.square().sum(-1) / 2
        share = joint.softmax(-1)
        score = -(share.unsqueeze(-1) * z).reshape(-1, m * d) @ whiten.reshape(m * d, d)
        return Look(joint.logsumexp(-1), score, share)


class Look(NamedTuple):
    """A mixture at points."""

    log_density: Tensor  # (n,)
    score: Tensor  # (n, d)
    share: Tensor  # (n, m), how much of a point belongs to each component


class Scaled(NamedTuple):
    """An energy in units of a scale about a centre; Z stays what it was."""

    energy: Energy
    centre: Tensor  # (d,)
    scale: float

    def __call__(self, y: Tensor) -> Tensor:
        return self.energy(self.centre + self.scale * y) - y.shape[-1] * math.log(self.scale)

    def value_and_grad(self, y: Tensor) -> tuple[Tensor, Tensor]:
        value, grad = value_and_grad(self.energy, self.centre + self.scale * y)
        return value - y.shape[-1] * math.log(self.scale), self.scale * grad


class Fit(NamedTuple):
    """A law being fitted, and what Adam remembers."""

    q: Mixture
    first: Mixture
    second: Mixture
    steps: int = 0


def begin(components: int, like: Tensor, dim: int, rng: Rng) -> Fit:
    """Returns the law to begin with: one normal law about the origin, or several strewn about it."""

    several = components > 1
    means = 0.5 * randn((components, dim), rng, like) if several else like.new_zeros(1, dim)
    narrow = torch.eye(dim, dtype=like.dtype, device=like.device) * math.log(0.3 if several else 0.5)
    q = Mixture(like.new_zeros(components), means, narrow.repeat(components, 1, 1))
    return Fit(q, Mixture(*map(torch.zeros_like, q)), Mixture(*map(torch.zeros_like, q)))


def improve(fit: Fit, energy: Scaled, n: int, rate: float, rng: Rng, order: float = 0.0) -> Fit:
    r"""Takes one step of Adam.

    Arguments:
        fit: The law so far.
        energy: What it is fitted to.
        n: Draws of each component.
        rate: Adam's rate.
        rng: What draws.
        order: The order :math:`\alpha`; a lower one is taken where too few draws would rule.
    """

    m, d = fit.q.means.shape
    z = randn((m, n, d), rng, fit.q.means)
    return _climb(fit, slopes(fit.q, energy, z, order), rate)


def slopes(q: Mixture, energy: Scaled, z: Tensor, order: float) -> Mixture:
    r"""Returns the gradient over :math:`1 - \alpha` in all that is learnt.

    Arguments:
        q: The law.
        energy: What it is fitted to.
        z: Standard normal draws for each component, with shape (m, n, d); they count by the component's weight.
        order: The order :math:`\alpha`.
    """

    m, n, d = z.shape
    y = torch.baddbmm(q.means.unsqueeze(1), z, q.factors.mT).view(-1, d)
    value, grad = energy.value_and_grad(y)
    look = q.look(y)
    base = (q.logits.softmax(-1) / n).repeat_interleave(n)
    along, share = _pulls(-value - look.log_density, base, order)

    push = (along.unsqueeze(-1) * -(grad + look.score)).view(m, n, d)
    factors = push.mT @ z
    diagonal = factors.diagonal(dim1=-2, dim2=-1) * q.raw.diagonal(dim1=-2, dim2=-1).exp()
    return Mixture(share @ look.share, push.sum(1), factors.tril(-1) + torch.diag_embed(diagonal))


def _pulls(log_w: Tensor, base: Tensor, order: float) -> tuple[Tensor, Tensor]:
    """Returns how much each draw counts, in moving its component and in raising the weights of those it belongs to."""

    log_w = log_w.nan_to_num(-_FAR, posinf=_FAR, neginf=-_FAR).clamp(-_FAR, _FAR)
    if order == 0:
        return base, base * (log_w - base @ log_w)
    orders = order * 0.5 ** torch.arange(_ORDERS, dtype=log_w.dtype, device=log_w.device).unsqueeze(-1)
    omega = (base.log() + orders * log_w).softmax(-1)
    enough = omega.square().sum(-1) < _RULERS / len(base)
    i = torch.where(enough.any(), enough.int().argmax(), _ORDERS - 1)
    return omega[i], (omega[i] - base) / orders[i]


def _climb(fit: Fit, slopes: Mixture, rate: float) -> Fit:
    """Takes a step of Adam; a slope that is not finite counts as none."""

    t = fit.steps + 1
    slopes = Mixture(*(slope.nan_to_num(0.0, 0.0, 0.0) for slope in slopes))
    first = Mixture(*(torch.lerp(slope, old, _FIRST) for slope, old in zip(slopes, fit.first)))
    second = Mixture(*(torch.lerp(slope.square(), old, _SECOND) for slope, old in zip(slopes, fit.second)))
    a, b = 1 - _FIRST**t, 1 - _SECOND**t
    logits, means, raw = ((m / a) / ((v / b).sqrt() + _NOUGHT) for m, v in zip(first, second))
    # So many entries off the diagonal, each as far a step as any other, would together make far too long a one.
    below = math.sqrt(2 / max(raw.shape[-1], 2)) * raw.tril(-1)
    steps = (logits, means, below + torch.diag_embed(raw.diagonal(dim1=-2, dim2=-1)))
    return Fit(Mixture(*(part + rate * step for part, step in zip(fit.q, steps))), first, second, t)
