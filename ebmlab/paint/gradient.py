from __future__ import annotations

from PySide6.QtCore import QCoreApplication

from ebmlab.paint.curves import Curve, Reading, Source
from ebmlab.paint.numbers import number
from ebmlab.session.snapshot import Snapshot

tr = QCoreApplication.translate


class GradientChart(Source[Snapshot]):
    """How far the estimator's gradient lies from the exact gradient of the likelihood."""

    name = "gradient"
    linear = True

    @property
    def title(self) -> str:
        return tr("Gradient", "Gradient")

    @property
    def empty(self) -> str:
        return tr("Gradient", "The estimator's gradient is compared with the exact one once training has begun.")

    def read(self, snapshot: Snapshot) -> Reading:
        meter = snapshot.meter
        if meter is None or not len(meter):
            return Reading()
        steps = meter["step"]
        curves = (
            Curve(
                key="cosine",
                label=tr("Gradient", "cosine"),
                x=steps,
                y=meter["cosine"],
                role="model",
                help=tr("Gradient", "Cosine of the estimator's mean gradient with the exact one; 1 is the same way."),
            ),
            Curve(
                key="bias",
                label=tr("Gradient", "bias"),
                x=steps,
                y=meter["bias"],
                role="second",
                shown=False,
                help=tr("Gradient", "Distance of the estimator's mean gradient from the exact one, relative to it."),
            ),
            Curve(
                key="variance",
                label=tr("Gradient", "variance"),
                x=steps,
                y=meter["variance"],
                role="second",
                dash="dashed",
                shown=False,
                help=tr("Gradient", "Variance of the estimator's gradient, relative to the exact one."),
            ),
        )
        note = tr("Gradient", "cosine {value}").format(value=number(float(meter["cosine"][-1]), 3))
        return Reading(curves, note, 1.0, (0.0, 1.0))
