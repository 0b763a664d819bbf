from __future__ import annotations

from collections.abc import Callable

from ebmlab.paint.curves import Source
from ebmlab.paint.gradient import GradientChart
from ebmlab.paint.health import HealthChart
from ebmlab.paint.likelihood import Likelihood, Objective
from ebmlab.paint.log_z import LogZChart
from ebmlab.paint.sandwich import SandwichChart
from ebmlab.session.snapshot import Snapshot

CHARTS: dict[str, Callable[[], Source[Snapshot]]] = {
    source.name: source for source in (Likelihood, Objective, LogZChart, SandwichChart, GradientChart, HealthChart)
}
"""The charts of a run by name, in the order of the window."""
