from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ebmlab.engine.dimension import PROBLEMS, Problem, study
from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import knob, part


@MEASURES.register("dimension")
@dataclass(frozen=True, kw_only=True)
class Dimensions(Measure):
    r"""What three methods make of :math:`\log Z` as the dimension grows.

    They are quadrature, importance sampling and annealed importance sampling. The figures are ``error_METHOD_8``, the
    distance from the exact value in 8 dimensions and so on, NaN where the method gave no answer; ``cost_METHOD_8``,
    the energies evaluated; and ``ess_8``, the effective share of the points of importance sampling.
    """

    problem: Problem = part("problem", next(iter(PROBLEMS.values()))(), "The energies, of known log Z.")
    dims: tuple[float, ...] = knob((1.0, 2.0, 4.0, 8.0, 16.0), "The dimensions.", shape=(-1,), low=1, high=64)
    budget: int = knob(100_000, "Energies that a method may evaluate.", low=1000, high=10_000_000, scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        figures: dict[str, float] = {}
        ours = torch.Generator().manual_seed(session.recipe.seed)  # the study runs on the CPU
        for step in study(self.problem, METHODS, [int(d) for d in self.dims], ours, self.budget):
            yield step.share
            if (row := step.row) is not None:
                figures[f"error_{row.method}_{row.dim}"] = abs(row.log_z - row.exact)
                figures[f"cost_{row.method}_{row.dim}"] = float(row.evaluations)
                if row.method == "importance":
                    figures[f"ess_{row.dim}"] = row.ess
        return figures


METHODS = ("quadrature", "importance", "ais")
