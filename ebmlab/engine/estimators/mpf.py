from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch

from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@ESTIMATORS.register("mpf")
@dataclass(frozen=True, kw_only=True)
class MinimumProbabilityFlow(Estimator):
    r"""Minimum probability flow.

    .. math:: K = \mathbb{E}_{p} \, \mathbb{E}_{y} \, e^{(E_\theta(x) - E_\theta(y)) / 2}, \qquad
        y = x + \sqrt{t} \, z, \qquad z \sim \mathcal{N}(0, I)

    Were data the start of a process of jumps that settles in the model, K is the rate at which it would leave them at
    first: it is least where nothing is to be gained by leaving. No Z is needed, and the optimum is right for *every*
    width of the jumps. As t falls, :math:`4 (K - 1) / t` becomes the loss of implicit score matching; wide jumps see
    farther, and a few that fall into a deep well then rule the average, whose variance may be infinite.

    References:
        | Minimum probability flow learning (Sohl-Dickstein, Battaglino & DeWeese, 2009)
        | https://arxiv.org/abs/0906.4779
    """

    objective: ClassVar[str] = "probability flow"

    t: float = knob(1.0, "Variance t of the jumps.", low=1e-6, high=1e4, soft=(1e-2, 30.0), scale="log", symbol="t")
    samples: int = knob(4, "Jumps from each data point.", low=1, high=4096, soft=(1, 64), scale="log")

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        x = batch.x.repeat_interleave(self.samples, 0)
        y = x + math.sqrt(self.t) * randn(x.shape, rng, x)
        yield Stage("negatives", "From each data point probability may jump away.", y, x)
        yield Stage("positive", "The energy falls at the data.", batch.x)
        yield Stage("negative", "The energy rises where jumps lead, the more the lower it is.", y, x)
        n, m = len(batch.x), self.samples
        at_data, there = energy(torch.cat([batch.x, y])).split([n, n * m])
        loss = torch.exp((at_data.unsqueeze(1) - there.view(n, m)) / 2).mean()
        return Terms(loss, value=loss.detach()), None
