"""What changed from one component to the next, as JSON values: short, so that a log of a thousand recipes is.

.. code-block:: text

    {"batch": {"is": 64},                              a new value
     "target": {"in": {"width": {"is": 2.0}}},         a part that is of the same kind and has changed itself
     "marks": {"from": 12, "add": [{...}]}}            a list of parts that has kept its first twelve
"""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from pathlib import Path
from typing import Any, TypeVar

from ebmlab.spec import FAMILIES, BadInput, Component, Knob, decode, knobs, read_knob, write_knob

C = TypeVar("C", bound=Component)


def delta(old: C, new: C) -> dict[str, Any]:
    """Returns what makes one component of another of the same class."""

    pairs = ((name, getattr(old, name), getattr(new, name), k) for name, _, k in knobs(new))
    return {name: _delta(a, b, k) for name, a, b, k in pairs if a != b}


def applied(component: C, changes: Any, base: Path | None = None) -> C:
    """Returns the component that changes make of another.

    Arguments:
        component: The other.
        changes: What :func:`delta` has made.
        base: The folder that the paths of files are relative to.

    Raises:
        BadInput: If they are broken or do not fit.
    """

    if not isinstance(changes, dict):
        raise BadInput("this is no change of a recipe; save the session again")
    return replace(component, **{name: _applied(component, name, change, base) for name, change in changes.items()})


def _delta(old: Any, new: Any, k: Knob) -> dict[str, Any]:
    if isinstance(new, Component) and type(old) is type(new):
        return {"in": delta(old, new)}
    if isinstance(new, tuple) and new and isinstance(new[0], Component):
        kept = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new)))
        return {"from": kept, "add": write_knob(new[kept:], k)}
    return {"is": write_knob(new, k)}


def _applied(component: Component, name: str, change: Any, base: Path | None) -> Any:
    old = getattr(component, name) if name in {knob for knob, _, _ in knobs(component)} else None
    match change:
        case {"is": value, **rest} if not rest:
            return read_knob(component, name, value, base)
        case {"in": inner, **rest} if not rest and isinstance(old, Component):
            return applied(old, inner, base)
        case {"from": int(kept), "add": list(added), **rest} if not rest and isinstance(old, tuple):
            family = next(k.family for knob, _, k in knobs(component) if knob == name)
            if 0 <= kept <= len(old) and family:
                first = next(iter(FAMILIES[family].values()))
                return old[:kept] + tuple(decode(part, first(), family, base) for part in added)
    raise BadInput("this is no change of it; save the session again", key=name[:80])
