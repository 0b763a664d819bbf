"""What the table of runs says of each: its columns, and the words in them."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from typing import Any, NamedTuple

from PySide6.QtCore import QCoreApplication

from ebmlab.gui.differences import Difference, departures
from ebmlab.paint.numbers import number
from ebmlab.session.recipe import Recipe
from ebmlab.session.tried import Tried

OWN = ("target", "energy", "estimator", "seed")
"""What has columns of its own."""
tr = QCoreApplication.translate


class Column(NamedTuple):
    """A column: its heading, what it means, and what it says of a run."""

    name: str
    heading: str
    help: str
    value: Callable[[Tried], Any]  # sorts; None where there is nothing
    text: Callable[[Any], str] = str
    width: int = 64

    @property
    def figures(self) -> bool:
        """Whether it holds figures, which stand at the right."""

        return self.text is not str and self.name != "when"

    def said(self, row: Tried) -> str:
        """Returns what stands in it."""

        value = self.value(row)
        return "" if value is None else self.text(value)


def columns() -> tuple[Column, ...]:
    """Returns the columns from left to right."""

    nll = tr("Tried", "Negative log-likelihood of the target by quadrature, in nats")
    return (
        Column("when", tr("Tried", "When"), tr("Tried", "When the run ended"), _when, moment, 118),
        Column("target", tr("Tried", "Target"), tr("Tried", "What the data came from"), _kind("target"), width=112),
        Column("energy", tr("Tried", "Energy"), tr("Tried", "What was trained"), _kind("energy"), width=66),
        Column("estimator", tr("Tried", "Estimator"), tr("Tried", "How it was fitted"), _kind("estimator"), width=76),
        Column("knobs", tr("Tried", "Knobs"), tr("Tried", "What else is not at its default"), said, width=140),
        Column("seed", tr("Tried", "Seed"), tr("Tried", "Seed of every random number"), _seed, "{}".format, 48),
        Column("steps", tr("Tried", "Steps"), tr("Tried", "Training steps taken"), _steps, "{:,}".format, 62),
        Column("time", tr("Tried", "Time"), tr("Tried", "Time spent training"), _seconds, duration, 80),
        _figure("kl", "KL", tr("Tried", "KL(p ‖ p_θ) by quadrature, in nats")),
        _figure("nll", "NLL", nll),
        _figure("log_z", "log Z", tr("Tried", "log Z by quadrature")),
        _figure("fisher", "Fisher", tr("Tried", "Fisher divergence by quadrature")),
        Column("remark", tr("Tried", "Remark"), tr("Tried", "Why a run ended early, or has no figures"), remark),
    )


def _figure(name: str, heading: str, help: str) -> Column:
    return Column(name, heading, help, lambda row: row.figure(name), exact, 64)


def _kind(name: str) -> Callable[[Tried], str]:
    return lambda row: getattr(row.recipe, name).kind


def _when(row: Tried) -> float | None:
    return row.when or None


def _seed(row: Tried) -> int:
    return row.recipe.seed


def _steps(row: Tried) -> int:
    return row.steps


def _seconds(row: Tried) -> float:
    return row.seconds


def moment(when: float) -> str:
    """Returns date and time, to the minute; empty where there is none."""

    with contextlib.suppress(OverflowError, ValueError, OSError):
        return datetime.fromtimestamp(when).strftime("%Y-%m-%d %H:%M")
    return ""


def duration(seconds: float) -> str:
    """Returns a time as one reads it: 8.25 s, 4 min 05 s, 2 h 10 min."""

    if seconds < 60:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02} s"
    return f"{minutes // 60:,} h {minutes % 60:02} min"


def exact(value: float) -> str:
    """Returns an exact figure."""

    return number(value, 4)


def remark(row: Tried) -> str:
    """Returns why a run ended early or, if it did not, why its log Z or KL is withheld."""

    why = row.figures.get("why")
    withheld = [why.get(name) for name in ("log_z", "kl") if row.figure(name) is None] if isinstance(why, dict) else []
    return row.why or (tr("Tried", "diverged") if row.diverged else next((str(w) for w in withheld if w), ""))


@lru_cache(maxsize=4096)
def further(recipe: Recipe) -> tuple[Difference, ...]:
    """Returns what a recipe sets otherwise than the default one, but for what has a column of its own."""

    return tuple(d for d in departures(recipe) if d.path not in OWN)


def said(row: Tried) -> str:
    """Returns the knobs that are not at their defaults, in one line."""

    return " · ".join(f"{d.name} {d.left}" for d in further(row.recipe) if d.left)
