from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

import torch
from torch import Tensor

from ebmlab.engine.diagnostics import pareto_k
from ebmlab.engine.logz.base import LOG_ZS, LogZ, Scene, log_mean, weights_warning
from ebmlab.engine.logz.equilibrium import FromModel
from ebmlab.engine.logz.ladder import Counted
from ebmlab.engine.logz.population import clustered_error
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.types import Rng
from ebmlab.spec import BadInput, knob


class Law(NamedTuple):
    r"""A normal law, or one even in a box, of the points :math:`m + A u`; float64 on the CPU."""

    mean: Tensor  # (d,)
    root: Tensor  # (d, d), A, lower triangular
    box: bool  # whether u is even in the cube of side 2, rather than normal

    def log_density(self, x: Tensor) -> Tensor:
        """Returns the log density at points, with shape (n)."""

        u = torch.linalg.solve_triangular(self.root, (x - self.mean).T, upper=False)
        volume = self.root.diagonal().log().sum()
        if self.box:
            inside = (u.abs() < 1).all(0)
            return torch.where(inside, -volume - len(u) * math.log(2), -math.inf)
        return -u.square().sum(0) / 2 - volume - len(u) / 2 * math.log(2 * math.pi)


@LOG_ZS.register("reverse-importance")
@dataclass(frozen=True, kw_only=True)
class ReverseImportanceSampling(FromModel):
    r"""Reverse importance sampling, of the family of the harmonic mean.

    .. math:: \log \hat{Z} = -\log \frac{1}{n} \sum_{i=1}^{n} \frac{q(x_i)}{\exp(-E(x_i))}, \qquad
        x_i \sim p_\theta

    Points of the model are weighed against a normalised law q; for an even q over everything it is the harmonic mean of
    :math:`\exp(-E)`. The mean weight is unbiased for :math:`1 / Z`, so that the estimate lies above :math:`\log Z` on
    average. It wants a q narrower than the model: where q reaches beyond it, the weights that matter are of points that
    are never drawn, their variance is infinite, and the estimate is wrong by far though its error looks small. The
    shape k of the weights' tail tells. A fitted q has the mean and a share s² of the covariance of the first draw,
    which is then set apart; on well separated modes it still reaches between and beyond them.

    References:
        | Bayesian model choice: asymptotics and exact calculations (Gelfand & Dey, 1994)
        | https://doi.org/10.1111/j.2517-6161.1994.tb01996.x
        | The harmonic mean of the likelihood: worst Monte Carlo method ever (Neal, 2008)
        | https://radfordneal.wordpress.com/2008/08/17/the-harmonic-mean-of-the-likelihood-worst-monte-carlo-method-ever/
    """

    law: str = knob("normal", "What q is: a normal law, or one that is even in a box.", choices=("normal", "box"))
    width: float = knob(
        0.0,
        "Standard deviation of q, or half the side of its box, about the window's centre; 0 fits q to the points.",
        low=0.0,
        high=1e4,
        soft=(0.0, 20.0),
        symbol="σ",
    )
    share: float = knob(
        0.5,
        "Share of the points' covariance that a fitted q is given.",
        low=1e-3,
        high=10.0,
        soft=(0.1, 2.0),
        symbol="s²",
    )

    def validate(self) -> None:
        FromModel.validate(self)
        if self.width == 0 and self.draws < 2:
            raise BadInput("a law fitted to the first draw needs another to weigh; give at least 2", key="draws")

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        energy = Counted(scene.energy)
        law = self._given(scene) if self.width else None
        rows: list[Tensor] = []
        found = LogZ(math.nan, math.inf, 0.0, 0, self._bound(scene))
        for x, ancestor, progress, warning in self.points(scene, energy, rng):
            if x is not None and law is None:
                law = self._fitted(x)
            elif x is not None and law is not None:
                with torch.no_grad():
                    rows.append(energy(x).cpu().double() + law.log_density(x.cpu().double()))
                found = estimate(torch.stack(rows), ancestor)._replace(bound=found.bound)
            yield found._replace(progress=progress, evaluations=energy.evaluations, warning=warning or found.warning)

    def _bound(self, scene: Scene) -> Literal["upper"] | None:
        return "upper" if self.exact and scene.exact is not None else None

    def _given(self, scene: Scene) -> Law:
        mean = start_for(scene, 1.0, 1.0).mean.cpu().double()
        return Law(mean, self.width * torch.eye(scene.dim, dtype=torch.float64), self.law == "box")

    def _fitted(self, x: Tensor) -> Law:
        """Fits the law to points; an even law in a box has a third of the variance of its half side."""

        y = x.cpu().double()
        mean, box = y.mean(0), self.law == "box"
        y = y - mean
        covariance = y.T @ y / len(y)
        ridge = 1e-9 * covariance.diagonal().mean() + torch.finfo(torch.float64).tiny
        root = torch.linalg.cholesky(covariance + ridge * torch.eye(len(mean), dtype=torch.float64))
        return Law(mean, math.sqrt(self.share * (3 if box else 1)) * root, box)


def estimate(log_w: Tensor, ancestor: Tensor) -> LogZ:
    """Returns the estimate from weights with shape (draws, particles); its error rests on the clusters' means."""

    each = torch.logsumexp(log_w, 0) - math.log(len(log_w))
    value, _ = log_mean(each)
    stderr = clustered_error((each - value).exp(), ancestor)
    return LogZ(-value, stderr, 0.0, 0, warning=tail_warning(log_w.flatten()))


def tail_warning(log_w: Tensor) -> str:
    """Returns why an average of weights is not to be trusted; here even where their variance may be infinite."""

    k = pareto_k(log_w)
    heavy = f"the tail of the weights has shape k = {k:.2f}: above 0.5 their variance is infinite, so q reaches too far"
    return heavy if k > 0.5 else weights_warning(log_w)
