"""What the window may ask of the runner; read between two steps."""

from __future__ import annotations

from dataclasses import dataclass

from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.snapshot import Lens
from ebmlab.session.timeline import Moment


@dataclass(frozen=True, slots=True)
class Play:
    """Train until told otherwise."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Stop between two steps; a step begun in slow motion is finished first."""


@dataclass(frozen=True, slots=True)
class Advance:
    """Train for a number of steps, then pause. Several add up."""

    steps: int = 1


@dataclass(frozen=True, slots=True)
class SlowMotion:
    """Show every stage of every step for some seconds; None goes back to full speed."""

    beat: float | None


@dataclass(frozen=True, slots=True)
class Beat:
    """Go on to the next stage at once, while in slow motion."""


@dataclass(frozen=True, slots=True)
class Speed:
    """Limit the steps per second; None for as fast as the machine goes."""

    steps_per_second: float | None


@dataclass(frozen=True, slots=True)
class Drift:
    """Whether the particles keep moving while training is paused."""

    on: bool


@dataclass(frozen=True, slots=True)
class Look:
    """See through another lens from now on."""

    lens: Lens


@dataclass(frozen=True, slots=True)
class Edit:
    """Carry on with another recipe: live where the change allows it, else afresh."""

    recipe: Recipe


@dataclass(frozen=True, slots=True)
class Reset:
    """Start the recipe afresh, from its seed."""


@dataclass(frozen=True, slots=True)
class Restore:
    """Go on from a saved run, where it stood."""

    run: Run


@dataclass(frozen=True, slots=True)
class Recall:
    """Show the last step up to this one that the timeline kept; None goes back to the present."""

    step: int | None


@dataclass(frozen=True, slots=True)
class Pin:
    """Compare with a step of the timeline from now on; with none if None."""

    step: int | None


@dataclass(frozen=True, slots=True)
class Name:
    """Give a step of the timeline a name, or the present one; an empty name takes it away."""

    moment: Moment


@dataclass(frozen=True, slots=True)
class Fork:
    """Go back to a step of the timeline for good; the run as it is now is handed out, and training goes on there."""

    step: int


@dataclass(frozen=True, slots=True)
class Keep:
    """Hand out all that a session file holds, under a name by which whoever asks knows it again."""

    name: str


@dataclass(frozen=True, slots=True)
class Close:
    """End the thread."""


Order = (
    Play
    | Pause
    | Advance
    | SlowMotion
    | Beat
    | Speed
    | Drift
    | Look
    | Edit
    | Reset
    | Restore
    | Recall
    | Pin
    | Name
    | Fork
    | Keep
    | Close
)
