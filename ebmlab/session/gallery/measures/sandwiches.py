from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ebmlab.engine.logz import Scene
from ebmlab.engine.logz.sandwich import Sandwich, sandwich
from ebmlab.engine.quadrature import lattice_sampler
from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import knob


@MEASURES.register("sandwich")
@dataclass(frozen=True, kw_only=True)
class SandwichOfRungs(Measure):
    r"""Bounds on :math:`\log Z` from below and above, by ladders with ever more rungs.

    The figures are, for each number of rungs, ``lower_5`` and ``upper_5``, the mean log weights of annealed importance
    sampling and of its reverse, and so on.
    """

    rungs: tuple[float, ...] = knob((5.0, 20.0, 80.0, 320.0), "Numbers of rungs.", shape=(-1,), low=1, high=100_000)

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        window, like = session.recipe.window, torch.empty(0, device=session.device)
        scene = Scene(session.net, like, window, exact=lattice_sampler(session.net, window, like))
        last = Sandwich((), 0.0)
        for last in sandwich(scene, rng, tuple(int(n) for n in self.rungs)):
            yield last.progress
        return {
            key: value
            for s in last.slices
            for key, value in ((f"lower_{s.rungs}", s.below), (f"upper_{s.rungs}", s.above))
        }
