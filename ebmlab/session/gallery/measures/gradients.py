"""What estimators' gradients are like: beside the exact one, beside each other's, and how they scatter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.estimators import Batch, DenoisingScoreMatching, Estimator, MaximumLikelihood
from ebmlab.engine.meter import flat_gradient, measure
from ebmlab.engine.reference import prepare
from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import knob, part


@MEASURES.register("gradient")
@dataclass(frozen=True, kw_only=True)
class Gradient(Measure):
    """An estimator's gradient beside that of the exact likelihood.

    The figures are those of the gradient meter: ``cosine`` of a single draw, ``cosine_mean`` of the mean of some,
    ``bias``, ``variance``, and ``norm``, the length of the exact one.
    """

    estimator: Estimator = part("estimator", DenoisingScoreMatching(), "Whose gradient is measured.")
    batch: int = knob(1024, "Points of each draw.", low=1, high=1_000_000, soft=(16, 4096), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        target = yield from prepare(session.density, session.recipe.window, 128)
        batch = Batch(session.density.sample(self.batch, rng), session.recipe.window)
        memory = self.estimator.init(session.net, batch, rng)
        reading = yield from measure(session.net, target, self.estimator, self.batch, memory, rng)
        return reading._asdict()


@MEASURES.register("agreement")
@dataclass(frozen=True, kw_only=True)
class Agreement(Measure):
    r"""Cosine between the gradients of two estimators on the same points.

    .. math:: \cos = \frac{g_1 \cdot g_2}{|g_1| \, |g_2|}

    Each gradient is the mean over several draws of what the estimator draws besides. The figures are ``cosine`` and
    ``ratio``, the length of the first over that of the second.
    """

    first: Estimator = part("estimator", DenoisingScoreMatching(), "The one estimator.")
    second: Estimator = part("estimator", MaximumLikelihood(), "The other one.")
    batch: int = knob(4096, "Points, the same for both.", low=1, high=1_000_000, soft=(16, 65536), scale="log")
    draws: int = knob(8, "Draws that each gradient is the mean of.", low=1, high=10_000, soft=(1, 100), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        batch = Batch(session.density.sample(self.batch, rng), session.recipe.window)
        means = []
        for k, estimator in enumerate((self.first, self.second)):
            draws = yield from _draws(estimator, session, batch, self.draws, rng)
            means.append(draws[1].mean(0))
            yield (k + 1) / 2
        one, other = means
        return {
            "cosine": torch.cosine_similarity(one, other, dim=0).item(),
            "ratio": (one.norm() / other.norm()).item(),
        }


@MEASURES.register("scatter")
@dataclass(frozen=True, kw_only=True)
class Scatter(Measure):
    r"""How an estimator's loss and gradient scatter between draws on the same points.

    .. math:: \operatorname{variance} = n \, \operatorname{Var}[\bar \ell]

    The figures are ``value``, the mean loss; ``value_variance`` and ``gradient_variance``, that of a single point's
    loss and gradient, for draws that are independent between the points; and ``gradient_norm``, the mean's length.
    """

    estimator: Estimator = part("estimator", DenoisingScoreMatching(), "Whose loss is measured.")
    batch: int = knob(1024, "Points n of each draw.", low=1, high=1_000_000, soft=(16, 4096), scale="log", symbol="n")
    draws: int = knob(64, "How many draws.", low=2, high=10_000, soft=(2, 1000), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        batch = Batch(session.density.sample(self.batch, rng), session.recipe.window)
        values, gradients = yield from _draws(self.estimator, session, batch, self.draws, rng)
        return {
            "value": values.mean().item(),
            "value_variance": self.batch * values.var().item(),
            "gradient_variance": self.batch * gradients.var(0).sum().item(),
            "gradient_norm": gradients.mean(0).norm().item(),
        }


def _draws(estimator: Estimator, session: Session, batch: Batch, count: int, rng: Rng) -> Work[tuple[Tensor, Tensor]]:
    """Returns losses, with shape (count), and gradients, with shape (count, m), float64 on the CPU."""

    memory = estimator.init(session.net, batch, rng)
    values, gradients = [], []
    for i in range(count):
        terms, memory = estimator.loss(session.net, batch, memory, rng)
        values.append(terms.loss.detach().cpu().double())
        gradients.append(flat_gradient(terms.loss, session.net))
        yield (i + 1) / count
    return torch.stack(values), torch.stack(gradients)
