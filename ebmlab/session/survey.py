from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch

from ebmlab.engine.dimension import PROBLEMS, Problem, Row, study
from ebmlab.spec import BadInput, Component, knob, part

MOST = 1024
"""Dimensions that may be asked for."""


@dataclass(frozen=True, kw_only=True)
class Plan(Component):
    """What a survey of the methods of log Z goes through."""

    problem: Problem = part("problem", next(iter(PROBLEMS.values()))(), "The energy, of known log Z.")
    dimensions: str = knob("1 2 4 8 16 32", "Dimensions d to go through, from the least to the greatest.", symbol="d")
    budget: int = knob(
        50_000,
        "Energies that each method may evaluate in each dimension.",
        low=1000,
        high=100_000_000,
        soft=(10_000, 1_000_000),
        scale="log",
    )
    seed: int = knob(0, "Seed of every random number.", low=0, high=2**31 - 1, soft=(0, 100))

    def validate(self) -> None:
        self.dims()

    def dims(self) -> tuple[int, ...]:
        """Returns the dimensions as numbers."""

        words = self.dimensions.replace(",", " ").split()
        found = tuple(int(word) for word in words if word.isdecimal())
        if len(found) < len(words) or not found or not all(1 <= d <= MOST for d in found):
            raise BadInput(f"give whole numbers from 1 to {MOST}, such as 1 2 4 8", key="dimensions")
        if list(found) != sorted(set(found)):
            raise BadInput("give each dimension once, from the least to the greatest", key="dimensions")
        return found


class Survey(NamedTuple):
    """What methods have made of a problem so far."""

    rows: tuple[Row, ...] = ()
    share: float = 0.0  # of the work that is done, in [0, 1]
    text: str = ""  # what it is at


def survey(plan: Plan, methods: Sequence[str]) -> Generator[Survey, None, Survey]:
    """Asks methods of log Z about a plan's problem in every dimension, in small pieces.

    Raises:
        BadInput: If there is no such method.
    """

    rng = torch.Generator().manual_seed(plan.seed)
    rows: tuple[Row, ...] = ()
    for step in study(plan.problem, methods, plan.dims(), rng, plan.budget):
        if step.row is not None:
            rows = (*rows, step.row)
        yield Survey(rows, step.share, step.text)
    return Survey(rows, 1.0)
