from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ebmlab.engine.logz import AIS, LogZ, LogZMethod, Scene
from ebmlab.engine.quadrature import lattice_sampler
from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import knob, part


@MEASURES.register("log-z")
@dataclass(frozen=True, kw_only=True)
class Estimates(Measure):
    r"""Estimates of :math:`\log Z` by one method, beside the exact value.

    The figures are ``value``, the mean of several runs; ``error``, that less the exact value; ``scatter``, the standard
    deviation between the runs; ``stderr``, the mean of what they claim it to be; and ``warned``, the share of the runs
    that warn against themselves.
    """

    method: LogZMethod = part("log-z", AIS(), "What estimates.")
    runs: int = knob(1, "How many runs.", low=1, high=10_000, soft=(1, 100), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        window, like = session.recipe.window, torch.empty(0, device=session.device)
        exact = lattice_sampler(session.net, window, like) if self.method.from_exact else None
        scene = Scene(session.net, like, window, session.density.dim, exact, session.density.sample)
        found: list[LogZ] = []
        for i in range(self.runs):
            last = LogZ(math.nan, math.nan, 0.0, 0)
            for last in self.method.run(scene, rng):
                yield (i + last.progress) / self.runs
            found.append(last)
        truth = session.evaluate().log_z
        values = torch.tensor([each.value for each in found], dtype=torch.float64)
        return {
            "value": values.mean().item(),
            "error": math.nan if truth is None else values.mean().item() - truth,
            "scatter": values.std().item() if len(values) > 1 else math.nan,
            "stderr": sum(each.stderr for each in found) / len(found),
            "warned": sum(bool(each.warning) for each in found) / len(found),
        }
