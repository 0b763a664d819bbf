from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch.nn.functional import softplus

from ebmlab.engine.logz.logistic import Pool, most_likely
from ebmlab.engine.quadrature import lattice_sampler
from ebmlab.engine.types import Rng, Work
from ebmlab.session.gallery.measures.base import MEASURES, Measure
from ebmlab.session.session import Session
from ebmlab.spec import knob


@MEASURES.register("bridging")
@dataclass(frozen=True, kw_only=True)
class Bridging(Measure):
    r"""Bridge sampling beside the NCE of a frozen energy, on the same points.

    .. math:: \min_c \; -\overline{\log \sigma(h(x) - c)} - \overline{\log \sigma(c - h(y))}, \qquad h = -E - \log q

    The bridge solves Bennett's equation; the other descends on the loss of ``nce`` in the one parameter c. The figures
    are ``bridge``, ``nce``, and ``apart``, the distance between the two.
    """

    points: int = knob(4096, "Points of the model, and as many of q.", low=2, high=1_000_000, scale="log")
    width: float = knob(3.0, "Standard deviation of q.", low=1e-3, high=1e3, soft=(0.5, 10.0), scale="log")

    def take(self, session: Session, rivals: Mapping[str, Session], rng: Rng) -> Work[dict[str, float]]:
        like = torch.empty(0, device=session.device)
        x = lattice_sampler(session.net, session.recipe.window, like)(self.points, rng)
        y = self.width * torch.randn(self.points, 2, generator=rng, device=session.device)
        yield 0.5
        law = torch.distributions.Normal(torch.zeros((), device=session.device), self.width)
        model, noise = ((-session.energy(z) - law.log_prob(z).sum(-1)).cpu().double() for z in (x, y))
        pool = Pool(model.unsqueeze(0), noise, torch.arange(len(model)))
        bridge, nce = most_likely(pool), _descend(model, noise)
        return {"bridge": bridge, "nce": nce, "apart": abs(bridge - nce)}


def _descend(model: torch.Tensor, noise: torch.Tensor) -> float:
    """Returns the c of least loss, by a quasi-Newton method that knows nothing of bridges."""

    c = torch.zeros((), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([c], lr=1.0, max_iter=200, tolerance_grad=1e-12, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        value = softplus(c - model).mean() + softplus(noise - c).mean()
        value.backward()
        return value

    optimizer.step(loss)
    return c.item()
