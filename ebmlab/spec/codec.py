"""Components as plain JSON values and back."""

from __future__ import annotations

import json
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from ebmlab.spec.component import Component, is_part, knobs
from ebmlab.spec.errors import BadInput
from ebmlab.spec.knob import Knob
from ebmlab.spec.registry import FAMILIES

C = TypeVar("C", bound=Component)


def encode(component: Component) -> dict[str, Any]:
    """Returns a component as JSON values, every knob written out."""

    data: dict[str, Any] = {"kind": component.kind} if component.kind else {}
    return data | {name: write_knob(getattr(component, name), k) for name, _, k in knobs(component)}


def write_knob(value: Any, k: Knob) -> Any:
    """Returns the value of a knob as JSON values."""

    return dict(value) if k.names else _plain(value)


def decode(data: Any, default: C, family: str = "", base: Path | None = None) -> C:
    """Returns the component that JSON values stand for.

    Without a ``kind`` the values amend the default; with one, the defaults of that kind fill the rest.

    Arguments:
        data: What the file says.
        default: The component that fills what it does not say.
        family: The family of the component, empty if its class is fixed.
        base: The folder that the paths of files are relative to.

    Raises:
        BadInput: If a key is unknown or a value will not do. The message names the key and the mend.
    """

    if not isinstance(data, dict):
        raise BadInput(f"{_short(data)} will not do; give an object such as {_short(encode(default))}")
    data = dict(data)
    component = default
    if family and "kind" in data:
        component = _inside("kind", FAMILIES[family].find, data.pop("kind"))()
    values = {name: read_knob(component, name, value, base) for name, value in data.items()}
    return replace(component, **values)


def read_knob(component: Component, name: str, data: Any, base: Path | None = None) -> Any:
    """Returns what JSON values stand for as the value of one knob of a component, which fills what they do not say.

    Raises:
        BadInput: If there is no such knob or the value will not do.
    """

    declared = {knob: (value, k) for knob, value, k in knobs(component)}
    if name not in declared:
        near = get_close_matches(str(name), declared, n=2, cutoff=0.4) or list(declared)
        raise BadInput(f"there is no such key; did you mean {' or '.join(near)}?", key=str(name)[:80])
    return _inside(name, _value, data, getattr(component, name), *declared[name], base)


def amend(component: C, path: str, text: str, base: Path | None = None) -> C:
    """Returns the component with one knob, named by its dotted path, set to what a person typed.

    Setting the path of a part to a kind replaces that part: ``estimator=dsm``. The paths of files are relative to the
    folder ``base``, if there is one.

    Raises:
        BadInput: If the path leads nowhere or the value will not do.
    """

    data = encode(component)
    *way, last = path.split(".")
    node: Any = data
    for i, name in enumerate(way):
        node = _enter(node, name, ".".join(way[: i + 1]))
    try:
        value = json.loads(text)
    except ValueError:
        value = text
    here = _enter(node, last, path, missing_ok=True)
    if isinstance(here, dict) and "kind" in here and isinstance(value, str):
        value = {"kind": value}
    if last == "kind" and isinstance(node, dict):
        node.clear()
    node[int(last) if isinstance(node, list) else last] = value
    return decode(data, component, component.family, base)


def _enter(node: Any, name: str, path: str, missing_ok: bool = False) -> Any:
    if isinstance(node, list) and name.isdigit() and int(name) < len(node):
        return node[int(name)]
    if isinstance(node, dict) and (name in node or missing_ok):
        return node.get(name)
    names = (
        [str(i) for i in range(len(node))] if isinstance(node, list) else list(node) if isinstance(node, dict) else []
    )
    near = get_close_matches(name, names, n=2) or names
    mend = f"did you mean {' or '.join(near)}?" if near else "end the path one name earlier"
    raise BadInput(f"there is no such key; {mend}", key=path)


def _value(value: Any, current: Any, default: Any, k: Knob, base: Path | None) -> Any:
    if not is_part(k, default):
        if k.path and base and isinstance(value, str) and value:
            return str(base / value)
        return value
    if isinstance(default, tuple):
        if not isinstance(value, list):
            raise BadInput(f"{_short(value)} will not do; give a list of objects")
        first = next(iter(FAMILIES[k.family].values()))
        return tuple(_inside(str(i), decode, v, first(), k.family, base) for i, v in enumerate(value))
    return decode(value, current, k.family, base)


def _inside(key: str, function: Any, *args: Any) -> Any:
    try:
        return function(*args)
    except BadInput as fault:
        raise fault.within(key) from None


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return encode(value)
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value


def _short(value: Any) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 80 else text[:77] + "…"
