from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ebmlab.paint.overlays import OVERLAYS
from ebmlab.paint.projection import Projection
from ebmlab.paint.shows import SHOWS
from ebmlab.session.snapshot import Field, Lens

PARTICLES = 400


class Sight(NamedTuple):
    """A pane that can be seen: what it shows, what lies over it, and how the plane lies on it."""

    kind: str
    overlays: frozenset[str]
    projection: Projection


def wanted(panes: Sequence[Sight], ratio: float = 1.0) -> Lens:
    """Returns the lens that shows all that some panes need, and nothing else.

    Arguments:
        panes: The panes, one at least.
        ratio: How much finer the lattice is than a window of the same size needs.
    """

    left, right, bottom, top = zip(*(pane.projection.window for pane in panes))
    size = ratio * max(max(pane.projection.width, pane.projection.height) for pane in panes)
    # The target costs nothing until it changes, and every density is drawn in its levels.
    fields: set[Field] = {"target"}
    for pane in panes:
        fields |= SHOWS[pane.kind].needs
        for name in pane.overlays:
            fields |= OVERLAYS[name].needs
    counted = any("particles" in pane.overlays or pane.kind == "samples" for pane in panes)
    return Lens(
        window=(min(left), max(right), min(bottom), max(top)),
        resolution=min(max(16 * round(size / 100), 64), 128),
        fields=frozenset(fields),
        particles=PARTICLES if counted else 0,
    )
