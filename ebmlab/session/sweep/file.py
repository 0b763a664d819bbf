"""The file of a sweep."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from ebmlab.session.gallery import Course, find_exhibit
from ebmlab.session.recipe import Recipe
from ebmlab.session.sweep.spec import FORMAT, MOST_RUNS, MOST_STEPS, VERSION, Axis, Sweep
from ebmlab.spec import BadInput

STEPS = 2000
"""How long a recipe is trained where neither the sweep nor an exhibit says."""

_KEYS = ("format", "version", "recipe", "steps", "over", "zip")
_RANGE = ("from", "to", "step", "count", "scale")


def load_sweep(path: str | os.PathLike[str]) -> Sweep:
    """Reads the file of a sweep; the paths in it are relative to its folder.

    Raises:
        BadInput: If it is missing, broken or newer than this program. The message names the file and the mend.
    """

    source = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8")
    except OSError as fault:
        raise BadInput(
            f"{(fault.strerror or 'cannot be read').lower()}; give the file of a sweep", source=source
        ) from None
    except UnicodeDecodeError:
        raise BadInput("this is not a text file; give a sweep in JSON", source=source) from None
    return loads_sweep(text, source, Path(path).absolute().parent)


def loads_sweep(text: str, source: str = "", base: Path | None = None) -> Sweep:
    """Reads a sweep from its JSON text."""

    try:
        return _read(json.loads(text, parse_constant=_refuse), base)
    except json.JSONDecodeError as fault:
        message = f"line {fault.lineno}, column {fault.colno}: {fault.msg}; mend the JSON there"
        raise BadInput(message, source=source) from None
    except RecursionError:
        raise BadInput("the JSON is nested too deeply; give a sweep", source=source) from None
    except BadInput as fault:
        raise fault.within(source=source) from None
    except (ValueError, OverflowError):  # Python reads no integer of more than some thousand digits
        raise BadInput("a number in it has too many digits; write it shorter", source=source) from None


def _read(data: Any, base: Path | None) -> Sweep:
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise BadInput(f"this is no sweep; give format {FORMAT!r} and what varies", key="format")
    _only(data, _KEYS)
    version = data.get("version", VERSION)
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise BadInput(f"{str(version)[:60]!r} is no version; give {VERSION}", key="version")
    if version > VERSION:
        message = f"this file is of version {version}, and this program reads up to {VERSION}; get a newer ebmlab"
        raise BadInput(message, key="version")
    course = _course(data.get("recipe", {}), base)
    steps = data.get("steps", course.steps)
    if isinstance(steps, bool) or not isinstance(steps, int) or not 0 <= steps <= MOST_STEPS:
        raise BadInput(f"{str(steps)[:40]!r} will not do; give a whole number from 0 to {MOST_STEPS}", key="steps")
    over = _object(data.get("over", {}), "over")
    axes = [
        Axis(paths=(path,), rows=tuple((v,) for v in _values(value, f"over.{path}"))) for path, value in over.items()
    ]
    groups = data.get("zip", [])
    if not isinstance(groups, list):
        raise BadInput('give a list of objects, such as [{"energy.width": [32, 64], "batch": [512, 256]}]', key="zip")
    axes += [_zipped(group, f"zip.{i}") for i, group in enumerate(groups)]
    return Sweep(recipe=course.recipe, steps=steps, axes=tuple(axes), base=base)


def _course(value: Any, base: Path | None) -> Course:
    """Returns the recipe that every run has in common: written out, a file, or an exhibit of the gallery."""

    try:
        if not isinstance(value, str):
            return Course(recipe=Recipe.loads(json.dumps(value), base=base), steps=STEPS)
        path = (base or Path()) / value
        if path.suffix:
            return Course(recipe=Recipe.load(path), steps=STEPS)
        return find_exhibit(value)[1]
    except BadInput as fault:
        raise BadInput(str(fault), key="recipe") from None


def _zipped(group: Any, key: str) -> Axis:
    columns = {path: _values(value, f"{key}.{path}") for path, value in _object(group, key).items()}
    if len(columns) < 2:
        raise BadInput("knobs that vary together are two or more; put a single one under over", key=key)
    counts = {path: len(column) for path, column in columns.items()}
    if len(set(counts.values())) > 1:
        said = ", ".join(f"{path} {count}" for path, count in counts.items())
        raise BadInput(f"knobs that vary together need as many values each, and these have {said}", key=key)
    return Axis(paths=tuple(columns), rows=tuple(zip(*columns.values())))


def _values(value: Any, key: str) -> list[Any]:
    """Returns the values on an axis: a list as it is, or a range written out."""

    values = _range(value, key) if isinstance(value, dict) else value
    if not isinstance(values, list) or not values:
        message = 'give a list of values, or a range such as {"from": 0, "count": 8}'
        raise BadInput(message, key=key)
    if len(values) > MOST_RUNS:
        raise BadInput(f"these are {len(values):,} values; give at most {MOST_RUNS:,}", key=key)
    return values


def _range(data: Mapping[str, Any], key: str) -> list[float]:
    """Returns evenly spread numbers, in the logarithm if asked; whole ones where first and step are whole."""

    try:
        _only(data, _RANGE)
    except BadInput as fault:
        raise fault.within(key) from None
    count, scale = data.get("count"), data.get("scale", "linear")
    if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_RUNS:
        raise BadInput(f"give a whole number from 1 to {MOST_RUNS:,}", key=f"{key}.count")
    if scale not in ("linear", "log"):
        raise BadInput("give linear or log", key=f"{key}.scale")
    first = _number(data.get("from"), f"{key}.from")
    if "to" not in data:
        step = _number(data.get("step", 1), f"{key}.step")
        return [first + i * step for i in range(count)]
    last = _number(data["to"], f"{key}.to")
    if scale == "log" and min(first, last) <= 0:
        raise BadInput("the ends of a log range are above 0; give other ones or linear", key=key)
    shares = [i / max(count - 1, 1) for i in range(count)]
    if scale == "log":
        return [first if not s else last if s == 1 else float(f"{first * (last / first) ** s:.6g}") for s in shares]
    return [first if not s else last if s == 1 else float(f"{first + s * (last - first):.12g}") for s in shares]


def _number(value: Any, key: str) -> float:
    good = isinstance(value, int | float) and not isinstance(value, bool)
    if not good or abs(value) > 1e300 or not math.isfinite(value):
        raise BadInput(f"{str(value)[:40]!r} will not do; give a number", key=key)
    return value


def _object(data: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise BadInput('give an object, such as {"seed": {"from": 0, "count": 8}}', key=key)
    return data


def _only(data: Mapping[str, Any], keys: tuple[str, ...]) -> None:
    for key in data:
        if key not in keys:
            near = get_close_matches(key, keys, n=2) or keys
            raise BadInput(f"there is no such key; did you mean {' or '.join(near)}?", key=key[:80])


def _refuse(constant: str) -> float:
    raise BadInput(f"{constant} is not a number that a sweep may hold; give a finite one")
