"""What methods of log Z make of the dimension: how far off they are, what they cost, what their points are worth."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from PySide6.QtCore import QCoreApplication

from ebmlab.engine.dimension import Row
from ebmlab.paint.curves import METHODS, Curve, Reading, Source
from ebmlab.session.survey import Survey

tr = QCoreApplication.translate

FLOOR = 1e-4
"""Errors below this are drawn there: what matters is which methods are off by nats."""


class ErrorChart(Source[Survey]):
    """How far each method is off, in nats."""

    name = "survey-error"
    spread = (True, True)

    @property
    def title(self) -> str:
        return tr("Survey", "Error, nats")

    @property
    def across(self) -> str:
        return tr("Survey", "d")

    @property
    def empty(self) -> str:
        return tr("Survey", "Choose methods and start; each is asked for a log Z that is known.")

    def read(self, snapshot: Survey) -> Reading:
        curves = lines(snapshot, lambda row: max(abs(row.error), FLOOR))
        return reading(snapshot, curves, tr("Survey", "≥ 0.0001"))


class CostChart(Source[Survey]):
    """How many energies each method evaluates."""

    name = "survey-cost"
    spread = (True, True)

    @property
    def title(self) -> str:
        return tr("Survey", "Evaluations")

    @property
    def across(self) -> str:
        return tr("Survey", "d")

    @property
    def empty(self) -> str:
        return tr("Survey", "What each method costs.")

    def read(self, snapshot: Survey) -> Reading:
        return reading(snapshot, lines(snapshot, lambda row: row.evaluations or math.nan))


class WorthChart(Source[Survey]):
    """What the points of importance sampling are worth."""

    name = "survey-worth"
    spread = (True, True)

    @property
    def title(self) -> str:
        return tr("Survey", "Effective share")

    @property
    def across(self) -> str:
        return tr("Survey", "d")

    @property
    def empty(self) -> str:
        return tr("Survey", "Importance sampling, if it is chosen, tells what its weights are worth.")

    def read(self, snapshot: Survey) -> Reading:
        return reading(snapshot, lines(snapshot, lambda row: row.ess))


def lines(survey: Survey, figure: Callable[[Row], float]) -> list[Curve]:
    """Returns a curve for each method that has the figure at all; dots not to be trusted are hollow."""

    curves = []
    for i, method in enumerate(dict.fromkeys(row.method for row in survey.rows)):
        rows = [row for row in survey.rows if row.method == method]
        values = [(row, figure(row)) for row in rows if math.isfinite(row.log_z)]
        known = [(row, value) for row, value in values if math.isfinite(value)]
        if not known:
            continue
        role, dash = METHODS[i % len(METHODS)]
        curves.append(
            Curve(
                key=method,
                label=method,
                x=np.array([row.dim for row, _ in known], dtype=float),
                y=np.array([value for _, value in known]),
                role=role,
                dash=dash,
                marked=True,
                hollow=np.array([bool(row.why) for row, _ in known]),
                help=complaints(rows) or tr("Survey", "{method}: nothing is known against it.").format(method=method),
            )
        )
    return curves


def complaints(rows: list[Row]) -> str:
    """Returns what is known against a method, a sentence for each dimension."""

    text = tr("Survey", "{method}, d = {dim}: {why}.")
    return " ".join(text.format(method=row.method, dim=row.dim, why=row.why) for row in rows if row.why)


def reading(survey: Survey, curves: list[Curve], note: str = "") -> Reading:
    """Returns curves with a number below the axis for each dimension."""

    places = sorted({float(row.dim) for row in survey.rows})
    return Reading(tuple(curves), note if curves else "", places=tuple(places))
