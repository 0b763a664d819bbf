from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import logsigmoid

from ebmlab.engine.logz.base import LOG_ZS, LogZ, Scene, log_mean
from ebmlab.engine.logz.equilibrium import FromModel
from ebmlab.engine.logz.ladder import Counted
from ebmlab.engine.logz.logistic import Pool, most_likely, overlap_warning, standard_error
from ebmlab.engine.logz.start import start_for
from ebmlab.engine.types import Rng
from ebmlab.spec import knob


@LOG_ZS.register("bridge")
@dataclass(frozen=True, kw_only=True)
class BridgeSampling(FromModel):
    r"""Bridge sampling with the optimal bridge, Bennett's acceptance ratio (BAR).

    .. math:: \hat{Z} \leftarrow \frac{\frac{1}{n_q} \sum_{y \sim q} \dfrac{l(y)}{n_p \, l(y) + n_q \hat{Z}}}
        {\frac{1}{n_p} \sum_{x \sim p} \dfrac{1}{n_p \, l(x) + n_q \hat{Z}}}, \qquad l = \frac{\exp(-E)}{q}

    Points of the model and as many of a broad normal law q meet at the bridge between them, iterated to its fixed
    point. Of all estimators of this kind its error is least. It fails where the two laws hardly overlap, as importance
    sampling does, but from either side: neither must have the heavier tails. The fixed point is that of a logistic
    regression with one parameter, that is of noise-contrastive estimation with the energy frozen. What the model's
    points miss, the estimate misses; the error of chains is that between the families they descend from.

    References:
        | Simulating ratios of normalizing constants via a simple identity: a theoretical exploration (Meng & Wong, 1996)
        | https://www3.stat.sinica.edu.tw/statistica/j6n4/j6n43/j6n43.htm
        | Efficient estimation of free energy differences from Monte Carlo data (Bennett, 1976)
        | https://doi.org/10.1016/0021-9991(76)90078-4
    """  # noqa: E501

    width: float = knob(
        0.0,
        "Standard deviation of the broad law; 0 for half the window's longer side.",
        low=0.0,
        high=1e4,
        soft=(0.0, 20.0),
        symbol="σ",
    )

    def run(self, scene: Scene, rng: Rng) -> Iterator[LogZ]:
        start, energy = start_for(scene, self.width, 0.5), Counted(scene.energy)
        model: list[Tensor] = []
        noise: list[Tensor] = []
        found, c = LogZ(math.nan, math.inf, 0.0, 0), math.nan
        for x, cluster, progress, warning in self.points(scene, energy, rng):
            if x is not None:
                with torch.no_grad():
                    for rows, points in ((model, x), (noise, start.sample(len(x), rng))):
                        rows.append((start(points) - energy(points)).cpu().double())
                pool = Pool(torch.stack(model), torch.cat(noise), cluster)
                c = settle(pool, c)
                found = LogZ(c, standard_error(pool, c), 0.0, 0, warning=overlap_warning(pool, c))
            yield found._replace(progress=progress, evaluations=energy.evaluations, warning=warning or found.warning)


def settle(pool: Pool, c: float = math.nan, most: int = 100) -> float:
    """Iterates the bridge to its fixed point, from c or else from importance sampling.

    Where the laws hardly overlap the iteration crawls, and its equation is solved by Newton's method.
    """

    if not math.isfinite(c):
        c, _ = log_mean(pool.noise)
    for _ in range(most):
        old, c = c, bridged(pool, c)
        if abs(c - old) < 1e-10:
            return c
    return most_likely(pool)


def bridged(pool: Pool, c: float) -> float:
    r"""Returns :math:`\log \hat{Z}` after one iteration of the bridge from c."""

    log_odds = pool.log_odds
    above = torch.logsumexp(logsigmoid(pool.noise - c + log_odds), 0) - math.log(pool.noise.numel())
    below = torch.logsumexp(logsigmoid(c - log_odds - pool.model).flatten(), 0) - math.log(pool.model.numel())
    return c + (above - below - log_odds).item()
