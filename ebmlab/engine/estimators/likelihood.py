from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ebmlab.engine.energies.base import EnergySpec, Normalised
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages


@ESTIMATORS.register("likelihood")
@dataclass(frozen=True, kw_only=True)
class Likelihood(Estimator):
    r"""Maximum likelihood of a normalised model.

    .. math:: L = -\mathbb{E}_{p} \log p_\theta(x) = \mathrm{KL}(p \,\|\, p_\theta) + H(p)

    A model whose density is known needs neither negatives nor the normaliser: where it gives more to the data it gives
    less to the rest. What it pays is its form. It is the same objective as that of maximum likelihood by quadrature,
    without the integral.

    References:
        | On the mathematical foundations of theoretical statistics (Fisher, 1922)
        | https://doi.org/10.1098/rsta.1922.0009
    """

    objective: ClassVar[str] = "NLL"

    def refusal(self, energy: EnergySpec) -> str:
        if isinstance(energy, Normalised):
            return ""
        return f"the {energy.kind} energy has a normaliser that likelihood leaves out; choose mle"

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        yield Stage("positive", "The density rises at the data, and so falls elsewhere.", batch.x)
        loss = energy(batch.x).mean()
        return Terms(loss, value=loss.detach()), None
