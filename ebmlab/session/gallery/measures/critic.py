from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ebmlab.engine.calculus import value_and_grad
from ebmlab.engine.estimators import Batch, Estimator, LearnedSteinDiscrepancy
from ebmlab.engine.estimators.lsd import arrows
from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import BadInput, knob, part


@MEASURES.register("critic")
@dataclass(frozen=True, kw_only=True)
class CriticError(Measure):
    r"""The learned Stein critic beside what it must become.

    .. math:: f^* = \frac{s_\theta - s_p}{2 \lambda}

    A fresh critic learns on the weights as they are. The figures are ``cosine``, between the two fields over the
    target, and ``error``, the root of the mean squared difference over that of :math:`f^*`.
    """

    estimator: Estimator = part("estimator", LearnedSteinDiscrepancy(), "Whose critic learns; lsd, that is.")
    batch: int = knob(1024, "Points of each step.", low=1, high=1_000_000, soft=(64, 4096), scale="log")
    steps: int = knob(300, "Training steps that the critic is given.", low=1, high=100_000, scale="log")

    def validate(self) -> None:
        if not isinstance(self.estimator, LearnedSteinDiscrepancy):
            raise BadInput(f"{self.estimator.kind} has no critic; give lsd", key="estimator")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        assert isinstance(self.estimator, LearnedSteinDiscrepancy)
        memory = None
        for i in range(self.steps):
            batch = Batch(session.density.sample(self.batch, rng), session.recipe.window)
            memory = self.estimator.init(session.net, batch, rng) if memory is None else memory
            _, memory = self.estimator.loss(session.net, batch, memory, rng)
            yield (i + 1) / self.steps
        assert memory is not None  # there is at least one step
        x = session.density.sample(self.batch, rng)
        f, _ = arrows(memory.learner.theta.detach(), memory.sizes, x)
        model, target = (-value_and_grad(e, x)[1] for e in (session.net, lambda y: -session.density.log_density(y)))
        best = (model - target) / (2 * self.estimator.penalty)
        return {
            "cosine": torch.cosine_similarity(f.flatten(), best.flatten(), dim=0).item(),
            "error": ((f - best).square().mean() / best.square().mean()).sqrt().item(),
        }
