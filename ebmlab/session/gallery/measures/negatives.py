from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ebmlab.engine.estimators import Batch
from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import BadInput, knob


@MEASURES.register("negatives")
@dataclass(frozen=True, kw_only=True)
class Negatives(Measure):
    """Moments of the points where the estimator believes the model has mass.

    The recipe's estimator draws its negatives again and again on the weights as they are, its memory going on. The
    figures are ``left``, the share with a negative first coordinate, and ``variance``, the mean over the coordinates.
    """

    batches: int = knob(20, "How many batches of negatives are drawn.", low=1, high=10_000, soft=(1, 100), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        recipe, memory, drawn = session.recipe, session.memory(), []
        for i in range(self.batches):
            batch = Batch(session.density.sample(recipe.batch, rng), recipe.window)
            if memory is None:
                memory = recipe.estimator.init(session.net, batch, rng)
            terms, memory = recipe.estimator.loss(session.net, batch, memory, rng)
            if terms.negatives is None:
                raise BadInput(f"{recipe.estimator.kind} draws no negatives; choose another measure", key="measures")
            drawn.append(terms.negatives.double())
            yield (i + 1) / self.batches
        x = torch.cat(drawn)
        return {"left": (x[:, 0] < 0).double().mean().item(), "variance": x.var(0).mean().item()}
