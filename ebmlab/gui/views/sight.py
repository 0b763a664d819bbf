from __future__ import annotations

from collections.abc import Sequence

from ebmlab.gui.views.pane import Pane
from ebmlab.paint.overlays import OVERLAYS
from ebmlab.paint.shows import SHOWS
from ebmlab.session.snapshot import Field, Lens

PARTICLES = 400


def wanted(panes: Sequence[Pane]) -> Lens:
    """Returns the lens that shows all that some panes need, and nothing else."""

    left, right, bottom, top = zip(*(pane.plane.projection.window for pane in panes))
    size = max(max(pane.plane.width(), pane.plane.height()) for pane in panes)
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
