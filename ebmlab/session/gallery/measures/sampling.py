from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ebmlab.engine.samplers import Sampler, UnadjustedLangevin
from ebmlab.engine.types import Rng, Work
from ebmlab.engine.window import uniform
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import knob, part


@MEASURES.register("sampling")
@dataclass(frozen=True, kw_only=True)
class Sampling(Measure):
    r"""Moments of what a sampler draws from the energy.

    .. math:: \operatorname{variance} = \frac{1}{n d} \sum_i |x_i - \bar x|^2

    Chains start uniformly in the window, or where the ``start`` says. The figures are ``variance``, the mean over the
    coordinates; ``left``, the share of the chains with a negative first coordinate; ``far``, the share that is more
    than ten windows away or not finite; and ``accept``, the mean probability of acceptance of the last transition.
    """

    sampler: Sampler = part("sampler", UnadjustedLangevin(step_size=0.05), "What draws.")
    chains: int = knob(4096, "Number of chains.", low=1, high=1_000_000, soft=(64, 8192), scale="log")
    transitions: int = knob(500, "Transitions of each.", low=1, high=1_000_000, soft=(10, 5000), scale="log")
    start: str = knob("uniform", "Where the chains start.", choices=("uniform", "right", "left"))

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        window = session.recipe.window
        x = uniform(window, self.chains, rng, torch.empty(0, device=session.device), session.density.dim)
        if self.start != "uniform":
            x[:, 0] = x[:, 0].abs() if self.start == "right" else -x[:, 0].abs()
        chains = self.sampler.init(session.net, x)
        accept = x.new_ones(())
        for i in range(self.transitions):
            chains, info = self.sampler.step(session.net, chains, rng)
            accept = info.accept.mean()
            yield (i + 1) / self.transitions
        reach = 10 * max(map(abs, window))
        near = (chains.x.abs() < reach).all(-1)
        kept = chains.x[near].double()
        return {
            "variance": kept.var(0).mean().item() if len(kept) > 1 else float("nan"),
            "left": (kept[:, 0] < 0).double().mean().item() if len(kept) else float("nan"),
            "far": 1 - near.double().mean().item(),
            "accept": accept.item(),
        }
