from __future__ import annotations

from typing import NamedTuple

import numpy as np
from PySide6.QtCore import QCoreApplication

from ebmlab.paint.curves import Curve, Dash, Reading, Role, Source
from ebmlab.paint.numbers import number
from ebmlab.paint.words import QT_TRANSLATE_NOOP
from ebmlab.session.snapshot import Sandwiched, Snapshot

tr = QCoreApplication.translate


class Side(NamedTuple):
    """A curve that closes in on log Z."""

    name: str  # that of a slice's figure
    error: str  # that of its standard error, if it has one
    label: str
    role: Role
    dash: Dash
    help: str


SIDES = (
    Side(
        "low",
        "low_error",
        QT_TRANSLATE_NOOP("Sandwich", "forward ↑"),
        "model",
        "solid",
        QT_TRANSLATE_NOOP("Sandwich", "Log of the mean weight of particles that climb: on average at most log Z."),
    ),
    Side(
        "high",
        "high_error",
        QT_TRANSLATE_NOOP("Sandwich", "reverse ↓"),
        "second",
        "solid",
        QT_TRANSLATE_NOOP("Sandwich", "The same of exact samples that descend: on average at least log Z."),
    ),
    Side(
        "below",
        "",
        QT_TRANSLATE_NOOP("Sandwich", "mean log w ↑"),
        "model",
        "dotted",
        QT_TRANSLATE_NOOP("Sandwich", "Mean log weight of particles that climb: a looser bound from below."),
    ),
    Side(
        "above",
        "",
        QT_TRANSLATE_NOOP("Sandwich", "mean log w ↓"),
        "second",
        "dotted",
        QT_TRANSLATE_NOOP("Sandwich", "Mean log weight of samples that descend: a looser bound from above."),
    ),
)


class SandwichChart(Source[Snapshot]):
    """The exact log Z between what annealed importance sampling says from below and from above."""

    name = "sandwich"
    linear = True
    spread = (True, False)

    @property
    def title(self) -> str:
        return tr("Sandwich", "AIS sandwich")

    @property
    def across(self) -> str:
        return tr("Sandwich", "rungs")

    @property
    def empty(self) -> str:
        return tr("Sandwich", "Ladders with ever more rungs are climbed and descended in the time that is left over.")

    def read(self, snapshot: Snapshot) -> Reading:
        shown = snapshot.sandwich
        if shown is None or not shown.slices:
            return Reading(note=tr("Sandwich", "no exact value") if shown and shown.why else "")
        rungs = np.array([s.rungs for s in shown.slices], dtype=float)
        return Reading((*_exact(shown, rungs), *_sides(shown, rungs)), _note(shown, snapshot.step), places=tuple(rungs))


def _exact(shown: Sandwiched, rungs: np.ndarray) -> list[Curve]:
    if shown.log_z is None:
        return []
    ends = np.array([rungs[0], rungs[-1]]) if len(rungs) > 1 else np.array([rungs[0] / 1.1, rungs[0] * 1.1])
    return [
        Curve(
            key="exact",
            label=tr("Sandwich", "exact"),
            x=ends,
            y=np.full(2, shown.log_z),
            error=np.full(2, shown.error),
            help=tr("Sandwich", "log Z of the same weights by quadrature, with its estimated error."),
        )
    ]


def _sides(shown: Sandwiched, rungs: np.ndarray) -> list[Curve]:
    def column(name: str) -> np.ndarray:
        return np.array([getattr(s, name) for s in shown.slices])

    return [
        Curve(
            key=side.name,
            label=tr("Sandwich", side.label),
            x=rungs,
            y=column(side.name),
            error=column(side.error) if side.error else None,
            role=side.role,
            dash=side.dash,
            marked=True,
            shown=bool(side.error),
            help=tr("Sandwich", side.help),
        )
        for side in SIDES
    ]


def _note(shown: Sandwiched, step: int) -> str:
    last = shown.slices[-1]
    gap = tr("Sandwich", "gap {gap}").format(gap=number(last.high - last.low, 2))
    return gap if shown.step == step else tr("Sandwich", "{gap} · step {step}").format(gap=gap, step=f"{shown.step:,}")
