from __future__ import annotations

import math

import numpy as np
from PySide6.QtCore import QCoreApplication

from ebmlab.paint.curves import Curve, Reading, Source
from ebmlab.paint.numbers import number
from ebmlab.session.snapshot import Health, Snapshot
from ebmlab.session.trace import Trace

tr = QCoreApplication.translate

MOST = 2.0
"""R-hat above this leaves the axis, or the shares below 1 could not be told apart."""

FEW = 4
"""Swap rates that the note lists one by one; of more it tells the least and the greatest."""


class HealthChart(Source[Snapshot]):
    """How the particles' chains fare: acceptance, swaps of replicas, split R-hat, and effective draws per draw."""

    name = "health"
    linear = True

    def __init__(self) -> None:
        self._history = _empty()
        self._key: object = None

    @property
    def title(self) -> str:
        return tr("Health", "Sampler health")

    @property
    def empty(self) -> str:
        return tr("Health", "The particles have moved too little to say.")

    def read(self, snapshot: Snapshot) -> Reading:
        self._remember(snapshot)
        table = self._history.view()
        steps, health = table["step"], snapshot.health
        curves = [
            Curve(
                key="accept",
                label=tr("Health", "accept"),
                x=steps,
                y=table["accept"],
                role="model",
                help=tr("Health", "Share of the particles' proposals that were accepted."),
            ),
            Curve(
                key="ess",
                label=tr("Health", "ESS"),
                x=steps,
                y=table["ess"],
                role="second",
                help=tr("Health", "Effective sample size over the number of draws; 1 if they were independent."),
            ),
            Curve(
                key="r-hat",
                label="R̂",
                x=steps,
                y=table["r_hat"],
                role="muted",
                help=tr("Health", "Split R-hat: 1 where the chains agree; above 1.01 they have not mixed."),
            ),
        ]
        if np.isfinite(table["swap"]).any():
            curves.insert(1, _swaps(steps, table["swap"], health.swaps))
        ideal = 1.0 if len(table) else None
        return Reading(tuple(curves) if len(table) else (), _note(health), ideal, (0.0, 1.0), MOST)

    def _remember(self, snapshot: Snapshot) -> None:
        """Adds a row if the run has moved on; begins again if it has begun again or another sampler moves."""

        key = (snapshot.recipe.sampler, snapshot.recipe.energy, snapshot.recipe.seed)
        table = self._history.view()
        last = table["step"][-1] if len(table) else -1.0
        if key != self._key or snapshot.step < last:
            self._history, self._key, last = _empty(), key, -1.0
        h = snapshot.health
        if snapshot.step > last and not (h.accept is None and h.r_hat is None and h.ess is None):
            swap = math.fsum(h.swaps) / len(h.swaps) if h.swaps else None
            self._history.append(snapshot.step, *map(_or_nan, (h.accept, swap, _share(h), h.r_hat)))


def _empty() -> Trace:
    return Trace("step", "accept", "swap", "ess", "r_hat")


def _share(health: Health) -> float | None:
    return health.ess / health.draws if health.ess is not None and health.draws else None


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _swaps(steps: np.ndarray, mean: np.ndarray, latest: tuple[float, ...]) -> Curve:
    text = tr("Health", "Mean probability of a swap between neighbouring replicas; now, the coldest first: {}.")
    return Curve(
        key="swap",
        label=tr("Health", "swap"),
        x=steps,
        y=mean,
        role="model",
        dash="dashed",
        help=text.format(_listed(latest) or "–"),
    )


def _note(health: Health) -> str:
    r_hat = "" if health.r_hat is None else f"R̂ {number(health.r_hat, 3)}"
    swaps = health.swaps
    shown = _listed(swaps) if len(swaps) <= FEW else f"{_share_text(min(swaps))}–{_share_text(max(swaps))}"
    return " · ".join(filter(None, [r_hat, tr("Health", "swaps {}").format(shown) if swaps else ""]))


def _listed(shares: tuple[float, ...]) -> str:
    return " ".join(map(_share_text, shares))


def _share_text(share: float) -> str:
    """Returns a share with two decimals and, for want of room, no leading zero."""

    return f"{share:.2f}".removeprefix("0")
