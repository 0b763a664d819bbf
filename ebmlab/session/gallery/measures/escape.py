from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from ebmlab.engine.samplers import Sampler, UnadjustedLangevin
from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import knob, part


@MEASURES.register("escape")
@dataclass(frozen=True, kw_only=True)
class Escape(Measure):
    r"""Mean time that chains need to leave a well.

    .. math:: t = \epsilon \, \frac{\text{transitions made}}{\text{chains arrived}}

    Every chain starts in one point and counts until its first coordinate passes a bound; then it starts again. That is
    the mean time of an exponential law, whether or not the run outlasts it. The figures are ``time`` and ``arrivals``.

    References:
        | Brownian motion in a field of force and the diffusion model of chemical reactions (Kramers, 1940)
        | https://doi.org/10.1016/S0031-8914(40)90098-2
    """

    sampler: Sampler = part("sampler", UnadjustedLangevin(step_size=0.01), "What moves the chains.")
    start: tuple[float, float] = knob((-1.0, 0.0), "Where they start.", shape=(2,), low=-1e6, high=1e6)
    bound: float = knob(1.0, "The first coordinate that counts as arrived.", low=-1e6, high=1e6)
    unit: float = knob(0.01, "Time of one transition, such as its step size ε.", low=1e-9, high=1e6, scale="log")
    chains: int = knob(1024, "Number of chains.", low=1, high=1_000_000, soft=(64, 8192), scale="log")
    transitions: int = knob(5000, "Transitions of each.", low=1, high=10_000_000, soft=(100, 100_000), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        start = torch.tensor(self.start, device=session.device).expand(self.chains, 2)
        x, arrivals = start, torch.zeros((), device=session.device)
        for i in range(self.transitions):
            chains, _ = self.sampler.step(session.net, self.sampler.init(session.net, x), rng)
            there = chains.x[:, 0] > self.bound
            arrivals += there.sum()
            x = torch.where(there.unsqueeze(-1), start, chains.x)
            yield (i + 1) / self.transitions
        made = self.unit * self.chains * self.transitions
        return {"time": made / max(arrivals.item(), 1.0), "arrivals": arrivals.item()}
