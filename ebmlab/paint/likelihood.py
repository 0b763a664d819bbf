from __future__ import annotations

import numpy as np
from PySide6.QtCore import QCoreApplication

from ebmlab.paint.curves import Curve, Reading, Source
from ebmlab.paint.numbers import number
from ebmlab.session.snapshot import Snapshot

tr = QCoreApplication.translate


def is_nll(objective: str) -> bool:
    """Returns whether an estimator minimises a negative log-likelihood or a bound on it, in the exact one's units."""

    return "NLL" in objective or "ELBO" in objective


class Stretch:
    """Finds where training with the present objective began: figures of another are no part of its curve."""

    def __init__(self) -> None:
        self._objective, self._began = "", 0

    def cut(self, snapshot: Snapshot) -> tuple[np.ndarray, np.ndarray]:
        """Returns the steps since then, and what the estimator reported of them."""

        objective = snapshot.recipe.estimator.objective
        if self._objective not in ("", objective):
            self._began = snapshot.step
        self._objective, self._began = objective, self._began if snapshot.step >= self._began else 0
        training = snapshot.training
        if training is None:
            return np.empty(0), np.empty(0)
        first = int(np.searchsorted(training["step"], self._began, side="right"))
        return training["step"][first:], training["value"][first:]


class Likelihood(Source[Snapshot]):
    """The exact negative log-likelihood over the target's entropy: the gap between the two is the KL divergence."""

    name = "likelihood"

    def __init__(self) -> None:
        self._stretch = Stretch()

    @property
    def title(self) -> str:
        return tr("Likelihood", "Likelihood")

    @property
    def empty(self) -> str:
        return tr("Likelihood", "The exact likelihood appears once training has begun.")

    def read(self, snapshot: Snapshot) -> Reading:
        curves = []
        if (exact := snapshot.exact) is not None and len(exact):
            steps, size = exact["step"], snapshot.recipe.data.size
            curves.append(
                Curve(
                    key="nll",
                    label="NLL",
                    x=steps,
                    y=exact["nll"],
                    help=tr("Likelihood", "Exact negative log-likelihood under the target, by quadrature, in nats."),
                )
            )
            if size:
                curves += self._points(snapshot)
            curves += self._truth(snapshot)
        curves += self._objective(snapshot)
        return Reading(tuple(curves), self._note(snapshot))

    def _note(self, snapshot: Snapshot) -> str:
        exact = snapshot.exact
        if exact is None or not len(exact):
            return tr("Likelihood", "nats")
        return tr("Likelihood", "KL {kl} nats").format(kl=number(float(exact["kl"][-1]), 3))

    def _points(self, snapshot: Snapshot) -> list[Curve]:
        exact = snapshot.exact
        assert exact is not None
        train = tr("Likelihood", "The same, of the points that are trained on.")
        held_out = tr("Likelihood", "The same, of as many points held out.")
        return [
            Curve(
                key="train",
                label=tr("Likelihood", "train"),
                x=exact["step"],
                y=exact["train_nll"],
                role="target",
                help=train,
            ),
            Curve(
                key="held-out",
                label=tr("Likelihood", "held out"),
                x=exact["step"],
                y=exact["held_out_nll"],
                role="target",
                dash="dashed",
                help=held_out,
            ),
        ]

    def _truth(self, snapshot: Snapshot) -> list[Curve]:
        exact = snapshot.exact
        assert exact is not None
        return [
            Curve(
                key="entropy",
                label="H(p)",
                x=exact["step"],
                y=exact["entropy"],
                role="muted",
                dash="dashed",
                help=tr("Likelihood", "Entropy of the target: no likelihood can lie below it."),
            ),
            Curve(
                key="kl",
                label="KL",
                x=exact["step"],
                y=exact["kl"],
                dash="dotted",
                shown=False,
                help=tr("Likelihood", "KL(p ‖ p_θ), the gap between the two, exact."),
            ),
        ]

    def _objective(self, snapshot: Snapshot) -> list[Curve]:
        objective, (steps, values) = snapshot.recipe.estimator.objective, self._stretch.cut(snapshot)
        if not len(steps) or not is_nll(objective):
            return []
        return [
            Curve(
                key="objective",
                label=objective,
                x=steps,
                y=values,
                role="model",
                help=tr("Likelihood", "What the estimator itself reports, on its own batch."),
            )
        ]


class Objective(Source[Snapshot]):
    """What the estimator minimises, where that is no likelihood."""

    name = "objective"

    def __init__(self) -> None:
        self._stretch = Stretch()

    @property
    def title(self) -> str:
        return tr("Objective", "Objective")

    @property
    def empty(self) -> str:
        return tr("Objective", "What the estimator minimises appears once training has begun.")

    @staticmethod
    def concerns(snapshot: Snapshot) -> bool:
        """Returns whether the estimator has an objective that the likelihood's chart does not show."""

        objective = snapshot.recipe.estimator.objective
        return bool(objective) and not is_nll(objective)

    def read(self, snapshot: Snapshot) -> Reading:
        steps, values = self._stretch.cut(snapshot)
        if not len(steps) or np.isnan(values[-1]):
            return Reading()
        curve = Curve(
            key="objective",
            label=snapshot.recipe.estimator.objective,
            x=steps,
            y=values,
            role="model",
            help=tr("Objective", "What the estimator minimises, on its own batch."),
        )
        return Reading((curve,), number(float(values[-1])))
