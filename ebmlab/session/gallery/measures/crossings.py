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
    """How often persistent chains change sides while training goes on.

    The session is trained further, so this measure comes last. The figure is ``crossed``, how often a chain changed the
    sign of its first coordinate, from step to step, on average over the chains.
    """

    steps: int = knob(100, "For how many further steps.", low=1, high=1_000_000, soft=(10, 1000), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        crossed = 0.0
        if not len(session.negatives):
            raise BadInput(f"{session.recipe.estimator.kind} has no chains; choose another measure", key="measures")
        for i in range(self.steps):
            before = session.negatives
            try:
                session.step()
            except Diverged:
                break
            crossed += ((before[:, 0] < 0) != (session.negatives[:, 0] < 0)).double().mean().item()
            yield (i + 1) / self.steps
        return {"crossed": crossed}
