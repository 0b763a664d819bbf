"""What two recipes do not have in common, in words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from ebmlab.paint.numbers import number
from ebmlab.session.recipe import Recipe
from ebmlab.spec import Component, Knob, knobs

LONGEST = 40
"""Letters of a value that are shown."""


class Difference(NamedTuple):
    """A knob that two recipes set differently; a side that has no such knob has no text."""

    path: str  # dotted, as on the command line
    symbol: str  # what formulas call it; empty if they do not
    left: str
    right: str

    @property
    def name(self) -> str:
        """What the knob is called where there is little room: its symbol, or the last word of its path."""

        return self.symbol or self.path.rpartition(".")[2].replace("_", " ")


def differences(left: Component, right: Component, path: str = "") -> Iterator[Difference]:
    """Yields every knob that differs, in the order in which a recipe is written."""

    for name, _, k in knobs(left):
        a, b = getattr(left, name), getattr(right, name)
        if a == b:
            continue
        here = f"{path}{name}"
        if isinstance(a, Component) and type(a) is type(b):
            yield from differences(a, b, f"{here}.")
            continue
        yield Difference(here, k.symbol, _text(a, k), _text(b, k))
        if isinstance(a, Component) and isinstance(b, Component):
            yield from (d._replace(right="") for d in differences(a, type(a)(), f"{here}."))
            yield from (d._replace(left="", right=d.left) for d in differences(b, type(b)(), f"{here}."))


def departures(recipe: Recipe) -> list[Difference]:
    """Returns what a recipe sets otherwise than the default one."""

    return list(differences(recipe, Recipe()))


def _text(value: Any, k: Knob) -> str:
    if isinstance(value, Component):
        return value.kind or type(value).__name__.lower()
    if isinstance(value, tuple) and all(isinstance(v, Component) for v in value) and not k.bulk:
        return ", ".join(v.kind for v in value) or "none"
    if k.bulk:
        return f"{len(value):,} of them" if isinstance(value, tuple) else "…"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return number(value, 4)
    if isinstance(value, tuple):
        return _short(", ".join(_text(v, k) for v in value))
    return _short(str(value))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
