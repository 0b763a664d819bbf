from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication

from ebmlab.paint.curves import METHODS, Curve, Reading, Source
from ebmlab.paint.numbers import number
from ebmlab.session.snapshot import Estimate, Snapshot

tr = QCoreApplication.translate

_ARROWS = {"lower": " ↑", "upper": " ↓", None: ""}


class LogZChart(Source[Snapshot]):
    """The exact log Z, and each method's estimate with its standard error."""

    name = "log-z"

    @property
    def title(self) -> str:
        return "log Z"

    @property
    def empty(self) -> str:
        return tr("LogZ", "The exact log Z and its estimates appear once training has begun.")

    def read(self, snapshot: Snapshot) -> Reading:
        curves = [*self._exact(snapshot), *self._methods(snapshot), *self._training(snapshot)]
        return Reading(tuple(curves), self._note(snapshot))

    def _exact(self, snapshot: Snapshot) -> list[Curve]:
        exact = snapshot.exact
        if exact is None or not len(exact):
            return []
        return [
            Curve(
                key="exact",
                label=tr("LogZ", "exact"),
                x=exact["step"],
                y=exact["log_z"],
                error=exact["error"],
                help=tr("LogZ", "log Z by quadrature, with its estimated error."),
            )
        ]

    def _methods(self, snapshot: Snapshot) -> list[Curve]:
        latest = {estimate.index: estimate for estimate in snapshot.estimates}
        curves = []
        for i, (method, series) in enumerate(zip(snapshot.recipe.log_z, snapshot.log_z_history)):
            role, dash = METHODS[i % len(METHODS)]
            estimate = latest.get(i)
            curves.append(
                Curve(
                    key=f"{i}-{method.kind}",
                    label=method.kind + _ARROWS[estimate.log_z.bound if estimate else None],
                    x=series["step"],
                    y=series["value"],
                    error=series["stderr"],
                    role=role,
                    dash=dash,
                    help=_help(method.kind, estimate),
                )
            )
        return curves

    def _training(self, snapshot: Snapshot) -> list[Curve]:
        training = snapshot.training
        if training is None or not len(training) or np.isnan(training["log_z"][-1]):
            return []
        kind = snapshot.recipe.estimator.kind
        return [
            Curve(
                key="training",
                label=tr("LogZ", "{kind} (training)").format(kind=kind),
                x=training["step"],
                y=training["log_z"],
                role="model",
                dash="dotted",
                help=tr("LogZ", "What training itself estimates."),
            )
        ]

    def _note(self, snapshot: Snapshot) -> str:
        exact = snapshot.exact
        if exact is None or not len(exact):
            return tr("LogZ", "nats")
        if np.isnan(exact["log_z"][-1]):
            return tr("LogZ", "no exact value")
        return tr("LogZ", "{value} nats").format(value=number(float(exact["log_z"][-1]), 5))


def _help(kind: str, estimate: Estimate | None) -> str:
    """Returns what a method says at the moment, in one line."""

    if estimate is None:
        return tr("LogZ", "{kind}: no estimate yet.").format(kind=kind)
    z = estimate.log_z
    bounds = {"lower": tr("LogZ", "a lower bound"), "upper": tr("LogZ", "an upper bound"), None: ""}
    facts = [
        tr("LogZ", "{value} ± {stderr} at step {step}").format(
            value=number(z.value, 5), stderr=number(z.stderr, 2), step=f"{estimate.step:,}"
        ),
        bounds[z.bound],
        tr("LogZ", "{count} energies").format(count=f"{z.evaluations:,}"),
        z.warning,
    ]
    return "{}: {}".format(kind, "; ".join(filter(None, facts)))
