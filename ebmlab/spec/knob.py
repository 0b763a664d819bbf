"""A knob is a field of a component, declared once for every reader: form, command line, file, tests."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar

from ebmlab.spec.errors import BadInput

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Knob:
    """What every reader of a field needs to know about it, besides its type and default.

    Arguments:
        help: One sentence, shown as the tool-tip.
        low: The least value allowed, for an array of each entry.
        high: The greatest value allowed, likewise.
        scale: How a slider spreads the values.
        soft: The range of the slider where it is narrower than the bounds.
        choices: The values allowed, for a text.
        family: Non-empty where the field holds a component, or several, of this family.
        shape: The shape of an array; -1 where any length goes.
        names: True where the field maps names to numbers, kept as sorted pairs.
        path: True where the field is the path of a file, relative to the recipe's own.
        symbol: What the equations call it.
        live: False where a change starts the run afresh.
        bulk: True where the value is edited on the canvas, too long for a form.
    """

    help: str
    low: float | None = None
    high: float | None = None
    scale: Literal["linear", "log"] = "linear"
    soft: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    family: str = ""
    shape: tuple[int, ...] = ()
    names: bool = False
    path: bool = False
    symbol: str = ""
    live: bool = True
    bulk: bool = False


def knob(default: T, help: str, **options: Any) -> T:
    """Declares a field of a component; options are those of :class:`Knob`."""

    if isinstance(default, Mapping):
        default = tuple(sorted(default.items()))  # type: ignore[assignment]
        options["names"] = True
    return field(default=default, metadata={"knob": Knob(help=help, **options)})


def part(family: str, default: T, help: str, **options: Any) -> T:
    """Declares a field that holds a component of a family (``""``: of the default's own class)."""

    return field(default=default, metadata={"knob": Knob(help=help, family=family, **options)})


def parts(family: str, default: tuple[T, ...], help: str, **options: Any) -> tuple[T, ...]:
    """Declares a field that holds any number of components of a family."""

    return field(default=default, metadata={"knob": Knob(help=help, family=family, **options)})


def check(k: Knob, default: Any, value: Any) -> Any:
    """Returns the value in its normal form.

    Raises:
        BadInput: If the type, the shape or the range is wrong. The message says what would be right.
    """

    if k.names:
        return _pairs(k, value)
    if isinstance(default, bool):
        return _expect(isinstance(value, bool), value, value, "true or false")
    if isinstance(default, tuple):
        return _array(k, value, k.shape)
    if isinstance(default, str):
        return _text(k, value)
    if isinstance(default, int):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        number = _number(k, value, "a whole number" if not whole or isinstance(value, bool) else "")
        return int(number)
    return _number(k, value)


def bounds(k: Knob) -> str:
    """Returns the range of a knob in words, empty if it has none."""

    if k.low is not None and k.high is not None:
        return f"from {k.low:g} to {k.high:g}"
    if k.low is not None:
        return f"of at least {k.low:g}"
    return f"of at most {k.high:g}" if k.high is not None else ""


def _expect(good: bool, value: Any, result: Any, wanted: str) -> Any:
    if not good:
        shown = repr(value) if len(repr(value)) < 60 else repr(value)[:56] + "…"
        raise BadInput(f"{shown} will not do; give {wanted}")
    return result


def _number(k: Knob, value: Any, kind: str = "") -> float:
    wanted = f"{kind or 'a number'} {bounds(k)}".strip()
    good = isinstance(value, int | float) and not isinstance(value, bool) and not kind
    good = good and abs(value) < 1e300 and math.isfinite(value)
    good = good and (k.low is None or value >= k.low) and (k.high is None or value <= k.high)
    return float(_expect(good, value, value, wanted))


def _text(k: Knob, value: Any) -> str:
    if k.choices:
        return str(_expect(value in k.choices, value, value, " or ".join(k.choices)))
    return str(_expect(isinstance(value, str), value, value, "a text"))


def _array(k: Knob, value: Any, shape: tuple[int, ...]) -> Any:
    if not shape:
        return _number(k, value)
    rows = isinstance(value, list | tuple) and shape[0] in (-1, len(value))
    wanted = "a list" if shape[0] < 0 else f"a list of {shape[0]}"
    _expect(rows, value, value, wanted + (" numbers" if len(shape) == 1 else " lists"))
    return tuple(_array(k, v, shape[1:]) for v in value)


def _pairs(k: Knob, value: Any) -> tuple[tuple[str, float], ...]:
    items = tuple(value.items()) if isinstance(value, Mapping) else value
    good = isinstance(items, list | tuple) and all(isinstance(p, list | tuple) and len(p) == 2 for p in items)
    _expect(good, value, value, 'names with numbers, such as {"a": 0.3}')
    for name, _ in items:
        _expect(isinstance(name, str) and name.isidentifier(), name, name, "a name of letters and digits")
    return tuple(sorted((name, _number(k, v)) for name, v in items))
