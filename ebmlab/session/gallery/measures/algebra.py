from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from ebmlab.engine.oracle import evaluate_precisely
from ebmlab.engine.types import Energy, Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import BadInput, knob


@MEASURES.register("algebra")
@dataclass(frozen=True, kw_only=True)
class Algebra(Measure):
    r"""Products, mixtures and negations of two trained energies, all integrated exactly.

    .. math:: E_\times = E_1 + E_2, \qquad E_+ = -\log\left(e^{-E_1} + e^{-E_2}\right), \qquad E_- = -E_1

    The figures are ``product`` and ``mixture``, the log Z of the two; ``first`` and ``second``, those of the parts; and
    ``negated``, 1 if the negation can be normalised.
    """

    other: str = knob("", "The run that holds the second energy; empty for the first of the others.")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        if not rivals or (self.other and self.other not in rivals):
            raise BadInput("there is no such run to take the second energy from; add a rival", key="measures")
        first, second = session.net, (rivals[self.other] if self.other else next(iter(rivals.values()))).net
        energies: dict[str, Energy] = {
            "first": first,
            "second": second,
            "product": lambda x: first(x) + second(x),
            "mixture": lambda x: -torch.logaddexp(-first(x), -second(x)),
        }
        figures: dict[str, float] = {}
        for k, (name, energy) in enumerate(energies.items()):
            found = evaluate_precisely(_double(energy), session.density, session.recipe.window)
            figures[name] = float("nan") if found.log_z is None else found.log_z
            yield (k + 1) / (len(energies) + 1)
        negated = evaluate_precisely(_double(lambda x: -first(x)), session.density, session.recipe.window)
        return figures | {"negated": float(negated.normalisable)}


def _double(energy: Energy) -> Energy:
    """Returns an energy that takes float64 and works in the weights' float32."""

    def at(x: Tensor) -> Tensor:
        return energy(x.float()).to(x)

    return at
