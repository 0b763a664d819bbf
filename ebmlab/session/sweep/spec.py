"""What is swept: a recipe, how long it is trained, and which knobs vary over which values.

.. code-block:: json

    {
      "format": "ebmlab-sweep", "version": 1, "recipe": {"target": {"kind": "ring"}}, "steps": 2000,
      "over": {"estimator.sampler.step_size": [0.01, 0.03], "seed": {"from": 0, "count": 8}},
      "zip": [{"energy.width": [32, 64], "batch": [512, 256]}]
    }

Every axis of ``over`` is combined with every other one and with every row of ``zip``, whose knobs vary together.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput, amend, components, encode, knobs

FORMAT, VERSION = "ebmlab-sweep", 1
MOST_RUNS = 10_000
MOST_STEPS = 10**9


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Knobs that vary together.

    Arguments:
        paths: Their dotted paths.
        rows: The JSON values of all of them, once for each place on the axis.
    """

    paths: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Trial:
    """A run of a sweep.

    Arguments:
        name: The digest of recipe and steps, which it is known by.
        recipe: The experiment.
        steps: How many steps it is trained.
        knobs: The knobs that vary, by their dotted paths, with their JSON values.
    """

    name: str
    recipe: Recipe
    steps: int
    knobs: tuple[tuple[str, Any], ...]


@dataclass(frozen=True, kw_only=True)
class Sweep:
    """The product of some axes, as runs of one recipe.

    Arguments:
        recipe: What every run has in common.
        steps: How many steps each is trained.
        axes: What varies, the last one fastest.
        base: The folder that the paths of files in the axes are relative to.

    Raises:
        BadInput: If there are too many runs, or a knob is on two axes.
    """

    recipe: Recipe
    steps: int
    axes: tuple[Axis, ...] = ()
    base: Path | None = None

    def __post_init__(self) -> None:
        if len(self) > MOST_RUNS:
            raise BadInput(f"these are {len(self):,} runs; make it at most {MOST_RUNS:,}", key="over")
        paths = self.paths()
        if twice := next((path for path in paths if paths.count(path) > 1), ""):
            raise BadInput("this knob varies twice; name it once", key=twice[:80])

    def __len__(self) -> int:
        """The number of runs."""

        return math.prod(len(axis.rows) for axis in self.axes)

    def paths(self) -> list[str]:
        """Returns the dotted paths of the knobs that vary, in order."""

        return [path for axis in self.axes for path in axis.paths]

    def trials(self) -> Iterator[Trial]:
        """Yields the runs in order.

        Raises:
            BadInput: If a path leads nowhere or a value will not do.
        """

        for rows in product(*(axis.rows for axis in self.axes)):
            knobs = tuple(pair for axis, row in zip(self.axes, rows) for pair in zip(axis.paths, row))
            recipe = self.recipe
            for path, value in sorted(knobs, key=lambda pair: pair[0].count(".")):  # a part before what is in it
                recipe = self._amended(recipe, path, value)
            yield Trial(name=digest(recipe, self.steps), recipe=recipe, steps=self.steps, knobs=knobs)

    def _amended(self, recipe: Recipe, path: str, value: Any) -> Recipe:
        try:
            return amend(recipe, path, json.dumps(value), self.base)
        except BadInput as fault:
            raise fault.within("over") from None


def digest(recipe: Recipe, steps: int) -> str:
    """Returns what a run is known by, the same for the same recipe, files and number of steps: 12 digits."""

    named = [getattr(part, name) for _, part in components(recipe) for name, _, k in knobs(part) if k.path]
    text = json.dumps(
        [FORMAT, VERSION, encode(recipe), [_contents(path) for path in named if path], steps], sort_keys=True
    )
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _contents(path: str) -> str:
    """Returns the digest of a file; empty if it cannot be read, which whoever makes the target will say."""

    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
