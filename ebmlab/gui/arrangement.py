"""How the window is arranged for a run, as JSON values of its session file, and back."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ebmlab.paint.overlays import OVERLAYS
from ebmlab.paint.shows import SHOWS
from ebmlab.session.orders import Pin, Recall

if TYPE_CHECKING:
    from ebmlab.gui.lab import Lab
    from ebmlab.gui.views.canvas import Canvas

LAYOUTS = (1, 2, 4)
CHART = "show-chart-"


def arrangement(lab: Lab) -> dict[str, Any]:
    """Returns panes, zoom, charts, speed and the steps that are shown and compared with, as JSON values."""

    canvas, snapshot = lab.canvas, lab.snapshot
    charts = lab.window.menus["charts"].actions()
    return {
        "panes": [{"kind": pane.kind, "overlays": sorted(pane.overlays)} for pane in canvas.panes],
        "layout": len(canvas.visible_panes),
        "active": canvas.panes.index(canvas.active_pane),
        "rectangle": list(canvas.rectangle),
        "charts": {action.objectName().removeprefix(CHART): action.isChecked() for action in charts},
        "speed": lab.window.transport.speed,
        "shown": snapshot.step if snapshot and snapshot.past else None,
        "compared": snapshot.pinned.step if snapshot and snapshot.pinned else None,
    }


def arrange(lab: Lab, view: Mapping[str, Any]) -> None:
    """Arranges the window as it was; what is missing or makes no sense stays as it is."""

    _arrange_canvas(lab.canvas, view)
    charts = view.get("charts")
    if isinstance(charts, dict) and charts:
        lab.when_complete(lambda: _arrange_charts(lab, charts))
    speed = view.get("speed")
    if speed is None or isinstance(speed, int | float):
        lab.window.transport.set_speed(speed)
    for step, order in ((_whole(view.get("compared")), Pin), (_whole(view.get("shown")), Recall)):
        if step is not None:
            lab.bridge.post(order(step))


def _arrange_canvas(canvas: Canvas, view: Mapping[str, Any]) -> None:
    panes = view.get("panes")
    for pane, entry in zip(canvas.panes, panes if isinstance(panes, list) else []):
        if not isinstance(entry, dict) or not isinstance(overlays := entry.get("overlays"), list):
            continue
        if isinstance(kind := entry.get("kind"), str) and kind in SHOWS:
            pane.show_kind(kind)
            for name in OVERLAYS:
                pane.set_overlay(name, name in overlays)
    active, layout = _whole(view.get("active")), view.get("layout")
    if active is not None and active < len(canvas.panes):
        canvas.panes[active].activated.emit()
    if layout in LAYOUTS:
        canvas.set_layout(layout)
    if _is_rectangle(rectangle := view.get("rectangle")):
        canvas.show_rectangle(tuple(map(float, rectangle)))  # type: ignore[arg-type]


def _arrange_charts(lab: Lab, charts: Mapping[str, Any]) -> None:
    for action in lab.window.menus["charts"].actions():
        on = charts.get(action.objectName().removeprefix(CHART))
        if isinstance(on, bool):
            action.setChecked(on)


def _whole(value: object) -> int | None:
    """Returns a number from 0 on that counts something; None for what is none."""

    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _is_rectangle(value: Any) -> bool:
    if not isinstance(value, list) or len(value) != 4:
        return False
    if not all(isinstance(edge, int | float) and math.isfinite(edge) and abs(edge) < 1e6 for edge in value):
        return False
    return value[1] - value[0] > 1e-3 and value[3] - value[2] > 1e-3
