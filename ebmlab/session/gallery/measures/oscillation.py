from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import knob


@MEASURES.register("oscillation")
@dataclass(frozen=True, kw_only=True)
class Oscillation(Measure):
    """How what the estimator minimises went up and down over its latest steps.

    The figures are ``crossings``, how often it changed its sign in a hundred steps; ``rms``, the root of its mean
    square; and ``rise``, the mean of the last half less that of the first.
    """

    steps: int = knob(500, "How many of the latest steps.", low=4, high=1_000_000, soft=(50, 2000), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        values = session.trace.view()["value"][-self.steps :]
        yield 1.0
        half = len(values) // 2
        return {
            "crossings": 100 * float(np.mean(np.diff(np.sign(values)) != 0)) if len(values) > 1 else np.nan,
            "rms": float(np.sqrt(np.mean(values**2))) if len(values) else np.nan,
            "rise": float(values[half:].mean() - values[:half].mean()) if half else np.nan,
        }
