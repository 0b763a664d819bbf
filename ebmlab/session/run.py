from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from torch import Tensor

from ebmlab.session.recipe import Recipe
from ebmlab.session.timeline import Kept, Moment
from ebmlab.session.trace import Series

if TYPE_CHECKING:
    from ebmlab.session.state import State


@dataclass(frozen=True, kw_only=True)
class Run:
    """All that a session file holds.

    Arguments:
        recipe: The experiment, as it stands.
        weights: The energy's parameters and buffers by name; None where it is untrained.
        step: How many steps it has been trained.
        device: What it was trained on.
        evaluation: The exact figures of these weights, as ``ebmlab evaluate --json`` prints them.
        source: The file or folder that it was read from.
        log: Every recipe with the step at which it took effect; empty where that is not known.
        state: All that training goes on with, bit for bit; None where only the weights are known.
        series: The histories by name: ``training``, ``exact``, ``meter``, ``log_z/0`` and so on.
        kept: The timeline, in the order of the steps.
        moments: The steps that somebody has named.
        view: What the window keeps for itself: JSON values.
        thumbnail: A small picture, as PNG.
        seconds: Time spent training.
        versions: What the bits depend on besides the recipe: versions and device.
    """

    recipe: Recipe
    weights: Mapping[str, Tensor] | None = None
    step: int = 0
    device: str = ""
    evaluation: dict[str, Any] = field(default_factory=dict)
    source: str = ""
    log: tuple[tuple[int, Recipe], ...] = ()
    state: State | None = None
    series: Mapping[str, Series] = field(default_factory=dict)
    kept: tuple[Kept, ...] = ()
    moments: tuple[Moment, ...] = ()
    view: Mapping[str, Any] = field(default_factory=dict)
    thumbnail: bytes = b""
    seconds: float = 0.0
    versions: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Capture:
    """A run that was handed out while it goes on, or because it has ended.

    Arguments:
        name: What was asked for; empty where the run has ended.
        run: The run.
    """

    name: str
    run: Run
