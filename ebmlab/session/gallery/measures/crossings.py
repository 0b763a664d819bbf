from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Diverged, Session
from ebmlab.spec import BadInput, knob


@MEASURES.register("crossings")
@dataclass(frozen=True, kw_only=True)
class Crossings(Measure):
    """How many of the estimator's persistent chains change sides while training goes on.

    The session is trained further, so this measure comes last. The figure is ``crossed``, the share of the negatives
    whose first coordinate has another sign in the end.
    """

    steps: int = knob(100, "For how many further steps.", low=1, high=1_000_000, soft=(10, 1000), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        before = session.negatives
        if not len(before):
            raise BadInput(f"{session.recipe.estimator.kind} has no chains; choose another measure", key="measures")
        for i in range(self.steps):
            try:
                session.step()
            except Diverged:
                break
            yield (i + 1) / self.steps
        changed = (before[:, 0] < 0) != (session.negatives[:, 0] < 0)
        return {"crossed": changed.double().mean().item()}
