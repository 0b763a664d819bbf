from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.estimators.weights import negligible
from ebmlab.engine.quadrature import FOLD, rule
from ebmlab.engine.types import Energy, Rng, Stage, Stages, Window, rand
from ebmlab.spec import knob


@ESTIMATORS.register("pseudo-likelihood")
@dataclass(frozen=True, kw_only=True)
class PseudoLikelihood(Estimator):
    r"""Pseudo-likelihood, each conditional by quadrature.

    .. math:: L = -\sum_{i=1}^{d} \mathbb{E}_{p} \log p_\theta(x_i \mid x_{-i}), \qquad
        -\log p_\theta(x_i \mid x_{-i}) = E_\theta(x) + \log \int e^{-E_\theta(x_{-i}, s)} \, ds

    Each coordinate is predicted from the others, which takes integrals over lines instead of one over the whole space,
    in any dimension. Each data point serves for one of its coordinates, drawn at random. The optimum is the true
    density; but where far modes differ in several coordinates no line through the data meets two of them, and their
    shares are not learnt. The value is the likelihood only where the coordinates are independent.

    References:
        | Statistical analysis of non-lattice data (Besag, 1975)
        | https://doi.org/10.2307/2987782
    """

    objective: ClassVar[str] = "pseudo-NLL"

    lines: int = knob(
        128,
        "Lines per training step at most, each through a data point of the batch.",
        low=1,
        high=65536,
        soft=(16, 1024),
        scale="log",
    )
    resolution: int = knob(
        48,
        f"Points k of each line, rounded up to a multiple of {FOLD}.",
        low=FOLD,
        high=1024,
        soft=(32, 256),
        scale="log",
        symbol="k",
    )

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        x, k = batch.x[: self.lines], -(-self.resolution // FOLD) * FOLD
        n, d = x.shape
        axis = torch.randint(d, (n,), generator=rng, device=x.device)
        yield Stage("data", "Of each data point one coordinate is predicted from the others.", x)
        lines, log_weights = across(batch.window, x, axis, k)
        with torch.no_grad():
            log_terms = log_weights - energy(lines.flatten(0, 1)).view(n, k)
        sums = log_terms.softmax(1).cumsum(1)
        chosen = torch.searchsorted(sums, rand((n, 1), rng, x) * sums[:, -1:], right=True).clamp(max=k - 1)
        negatives = lines[torch.arange(n, device=x.device), chosen.squeeze(1)]
        yield Stage("negatives", "This is what the model predicts.", negatives, x)

        yield Stage("positive", "The energy falls at the data.", x)
        yield Stage("negative", "The energy rises along each line, wherever the model has mass.", negatives)
        kept = ~negligible(log_terms)
        at_data, values = energy(torch.cat([x, lines[kept]])).split([n, int(kept.sum())])
        terms = torch.full_like(log_terms, -torch.inf).masked_scatter(kept, log_weights[kept] - values)
        loss = d * (at_data + torch.logsumexp(terms, 1)).mean()
        return Terms(loss, negatives, loss.detach()), None


def across(window: Window, x: Tensor, axis: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Returns the rule's points on the line through each data point along an axis, with shape (n, k, d), and weights.

    The logarithms of the weights have shape (n, k). Beyond the plane the sides of the window repeat in turn.
    """

    left, right, bottom, top = window
    sides = [rule((a, b, a, b), k, 1) for a, b in ((left, right), (bottom, top))]
    points, log_weights = (
        torch.stack([getattr(side, name).flatten() for side in sides]).to(x) for name in ("points", "log_weights")
    )
    here = torch.nn.functional.one_hot(axis, x.shape[-1]).bool().unsqueeze(1)
    return torch.where(here, points[axis % 2].unsqueeze(-1), x.unsqueeze(1)), log_weights[axis % 2]
