from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ebmlab.engine.calculus import jet
from ebmlab.engine.energies.base import EnergySpec
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages


@ESTIMATORS.register("ism")
@dataclass(frozen=True, kw_only=True)
class ImplicitScoreMatching(Estimator):
    r"""Implicit score matching.

    .. math:: J = \mathbb{E}_{p}\left[\frac{1}{2} |\nabla E_\theta(x)|^2
        - \operatorname{tr} \nabla^2 E_\theta(x)\right]

    Half the Fisher divergence between the target and the model, less a constant that the model cannot change; it
    needs no :math:`Z` and is often negative. It compares scores, and where two modes lie far apart no score says how
    they share the mass. Second derivatives must exist: with ReLU the trace vanishes almost everywhere, and a flat
    energy is best.

    References:
        | Estimation of non-normalized statistical models by score matching (Hyvärinen, 2005)
        | https://jmlr.org/papers/v6/hyvarinen05a.html
    """

    objective: ClassVar[str] = "Hyvärinen score"

    def misfit(self, energy: EnergySpec) -> str:
        return "" if energy.smooth else "kinks, as of ReLU or splines, blind score matching to the curvature in them"

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        yield Stage("data", "At the data the energy becomes flatter and more curved.", batch.x)
        _, grad, trace = jet(energy, batch.x)
        loss = (grad.square().sum(-1) / 2 - trace).mean()
        return Terms(loss, value=loss.detach()), None
