from __future__ import annotations

from collections.abc import Sequence

from ebmlab.gui.views.pane import Pane
from ebmlab.paint import sight
from ebmlab.session.snapshot import Lens


def wanted(panes: Sequence[Pane]) -> Lens:
    """Returns the lens that shows all that some panes need, and nothing else."""

    return sight.wanted([sight.Sight(pane.kind, pane.overlays, pane.plane.projection) for pane in panes])
