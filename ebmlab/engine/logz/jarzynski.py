from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.logz.base import LOG_ZS, LogZ, LogZMethod, Scene, log_mean, weights_warning
from ebmlab.engine.logz.start import Seen, Start, Tempered, between, start_for
from ebmlab.engine.types import Rng, randn
from ebmlab.spec import knob


@LOG_ZS.register("jarzynski")
@dataclass(frozen=True, kw_only=True)
class Jarzynski(LogZMethod):
    r"""Jarzynski's equality for unadjusted Langevin moves.

    .. math:: \log \hat{Z} = \log \frac{1}{n} \sum_i e^{A_K^i}, \qquad
        x_{k+1} = x_k - h_k \nabla U_k(x_k) + \sqrt{2 h_k} \, z_k

    .. math:: A_{k+1} = A_k + \alpha_k(x_k, x_{k+1}) - \alpha_{k+1}(x_{k+1}, x_k)

    .. math:: \alpha_k(x, y) = U_k(x) + \frac{1}{2} (y - x) \cdot \nabla U_k(x) + \frac{h}{4} |\nabla U_k(x)|^2

    Particles from a broad normal law are dragged to the model, :math:`U_k = (1 - \beta_k) E_0 + \beta_k E`, at a finite
    pace and out of equilibrium, with no test whether a move should be taken. The work done on them, corrected for the
    step size, is a weight: :math:`\hat{Z}` is unbiased at any step size and any pace, so that :math:`\log \hat{Z}` lies
    below :math:`\log Z` on average. What the step size costs is variance: where it is too large the weights degenerate,
    as they do where the pace is too fast. The step size :math:`h_k` is :math:`\epsilon` in units in which the broad law
    grows as wide as 1 on the way.

    References:
        | Nonequilibrium equality for free energy differences (Jarzynski, 1997)
        | https://doi.org/10.1103/PhysRevLett.78.2690
        | Efficient training of energy-based models using Jarzynski equality (Carbone, Hua, Coste & Vanden-Eijnden, 2023)
        | https://arxiv.org/abs/2305.19414
    """  # noqa: E501

    particles: int = knob(256, "Particles dragged.", low=2, high=100_000, soft=(32, 4096), scale="log", symbol="n")
    moves: int = knob(
        512, "Langevin moves K on the way.", low=1, high=100_000, soft=(10, 2000), scale="log", symbol="K"
    )
    step_size: float = knob(2e-2, "Step size ε.", low=1e-6, high=10.0, soft=(1e-4, 1.0), scale="log", symbol="ε")
    width: float = knob(
        0.0,
        "Standard deviation of the broad law; 0 for the window's longer side.",
        low=0.0,
        high=1e4,
        soft=(0.0, 20.0),
        symbol="σ",
    )
    power: float = knob(
        3.0, "Power γ of the schedule: above 1 most moves are made near the broad law.", low=0.1, high=10.0, symbol="γ"
    )

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start = start_for(scene, self.width, 1.0)
        x = start.sample(self.particles, rng)
        here = Seen(x, *value_and_grad(scene.energy, x))
        betas = [(k / self.moves) ** self.power for k in range(self.moves + 1)]
        log_w = torch.zeros(self.particles, dtype=torch.float64)
        for k, (beta, following) in enumerate(pairwise(betas), 1):
            h = self.step_size * float(Tempered(start, scene.energy, following).scale) ** 2
            value, grad = between_both(start, here, beta)
            move = math.sqrt(2 * h) * randn(x.shape, rng, x) - h * grad
            here = Seen(here.x + move, *value_and_grad(scene.energy, here.x + move))
            gain = alpha(value, grad, move, h) - alpha(*between_both(start, here, following), -move, h)
            log_w = weightless(log_w + gain.cpu().double())
            reached = log_w
            if following < 1:
                reached = weightless(log_w - (1 - following) * (here.value - start(here.x)).cpu().double())
            evaluations = (k + 1) * self.particles
            yield LogZ(*log_mean(reached), k / self.moves, evaluations, "lower", weights_warning(reached))


def between_both(start: Start, seen: Seen, beta: float) -> tuple[Tensor, Tensor]:
    """Returns the energy between the broad law's and the model's, and its gradient, at points already seen."""

    value, grad = start.value_and_grad(seen.x)
    return between(value, seen.value, beta), between(grad, seen.grad, beta)


def alpha(value: Tensor, grad: Tensor, move: Tensor, h: float) -> Tensor:
    r"""Returns :math:`\alpha(x, x + m)` for moves m, with shape (n)."""

    return value + (move * grad).sum(-1) / 2 + h / 4 * grad.square().sum(-1)


def weightless(log_w: Tensor) -> Tensor:
    """Gives no weight to a particle that has flown off to where the energy is no number."""

    return log_w.nan_to_num(nan=-math.inf, posinf=math.inf, neginf=-math.inf)
