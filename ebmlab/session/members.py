"""The members of a session file as bytes, and back; what is broken raises :class:`BadInput`, in one sentence."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from ebmlab.session import tree
from ebmlab.session.deltas import applied, delta
from ebmlab.session.recipe import Recipe
from ebmlab.session.timeline import Moment
from ebmlab.session.trace import Series
from ebmlab.spec import BadInput, Component, decode, encode, knobs

MOST_VALUES = 1_000_000
"""Values that JSON may hold."""
MOST_ENTRIES, MOST_NUMBERS = 100_000, 20_000_000
"""Entries of a log, and numbers in all of their targets, that are read; a longer log is taken for unknown."""
COLUMNS = {
    "training": ("step", "value", "accept", "log_z"),
    "exact": ("step", "log_z", "error", "nll", "entropy", "kl", "train_nll", "held_out_nll"),
    "meter": ("step", "cosine", "bias", "variance"),
    "log_z": ("step", "value", "stderr"),
}
"""The columns of each history, by its name up to a stroke."""
MOST_SIDE = 4096
"""Pixels along a side of the thumbnail."""

Log = Sequence[tuple[int, Recipe]]


def dump_json(value: Any, indent: int | None = None) -> bytes:
    """Returns JSON values as text."""

    return (json.dumps(value, ensure_ascii=False, allow_nan=False, indent=indent) + "\n").encode()


def load_json(content: bytes, name: str) -> Any:
    """Reads JSON values.

    Raises:
        BadInput: If they are broken. The message names the member.
    """

    if is_long(content):
        raise BadInput(f"it holds more than {MOST_VALUES:,} values; give a saved session", key=name)
    try:
        return json.loads(content.decode(), parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise broken(name) from None


def load_object(content: bytes, name: str) -> dict[str, Any]:
    """Reads a JSON object."""

    data = load_json(content, name)
    if not isinstance(data, dict):
        raise broken(name)
    return data


def is_long(content: bytes) -> bool:
    """Returns whether JSON holds more values than are ever read: some bytes of text may take a hundred in memory."""

    return sum(map(content.count, (b",", b"[", b"{"))) > MOST_VALUES


def broken(name: str) -> BadInput:
    """Returns the fault of a member that cannot be read."""

    return BadInput("this part of the session is broken; save it again", key=name)


def dump_weights(weights: Mapping[str, Tensor]) -> bytes:
    """Returns weights as safetensors."""

    return save({name: w.detach().cpu().contiguous() for name, w in weights.items()})


def load_weights(content: bytes, name: str) -> dict[str, Tensor]:
    """Reads weights, which are float32 and finite."""

    try:
        weights: dict[str, Tensor] = load(content)
    except (SafetensorError, ValueError, KeyError, OverflowError, RuntimeError):
        raise BadInput(f"{name} is broken; save the session again", key="weights") from None
    for key, w in weights.items():
        if w.dtype != torch.float32:
            raise BadInput(f"{key[:80]} holds {w.dtype}; give float32", key="weights")
        if not math.isfinite(w.abs().sum(dtype=torch.float64).item()):
            raise BadInput(f"{key[:80]} holds a number that is not finite; go back to an earlier run", key="weights")
    return weights


def dump_log(log: Log) -> bytes:
    """Returns a log: the first recipe, and then what changed; an empty one if it is too long to be read again."""

    entries = [{"step": log[0][0], "recipe": encode(log[0][1])}] if log else []
    for (_, old), (step, new) in pairwise(log):
        entries.append({"step": step, "change": delta(old, new)})
    content = dump_json(entries)
    return dump_json([]) if is_long(content) else content


def load_log(content: bytes, base: Path, most: int) -> tuple[tuple[int, Recipe], ...]:
    """Reads a log whose steps rise up to the last; empty if it is too long to be read.

    Arguments:
        content: The bytes.
        base: What the paths of files are relative to.
        most: The last step.
    """

    entries = load_json(content, "log")
    log: list[tuple[int, Recipe]] = []
    numbers = 0
    if not isinstance(entries, list):
        raise broken("log")
    for entry in entries:
        log.append(_entry(entry, log, base, most))
        numbers += _numbers(log[-1][1].target)
        if len(log) > MOST_ENTRIES or numbers > MOST_NUMBERS:
            return ()
    return tuple(log)


def dump_series(series: Mapping[str, Series]) -> bytes:
    """Returns histories as safetensors."""

    return tree.dumps({name: torch.from_numpy(np.array(s.rows, dtype=np.float64)) for name, s in series.items()})


def load_series(content: bytes) -> dict[str, Series]:
    """Reads histories, each with the columns that its name demands and steps that never fall."""

    try:
        found = tree.loads(content)
    except tree.FAULTS:
        raise broken("series") from None
    if not tree.suits(found, Mapping[str, Tensor]):
        raise broken("series")
    return {name: _series(name, rows) for name, rows in found.items()}


def dump_moments(moments: Sequence[Moment]) -> bytes:
    """Returns the steps that somebody has named."""

    return dump_json([{"step": m.step, "name": m.name, "note": m.note} for m in moments])


def load_moments(content: bytes) -> tuple[Moment, ...]:
    """Reads the steps that somebody has named."""

    data = load_json(content, "moments")
    if not isinstance(data, list) or not all(_is_moment(m) for m in data):
        raise broken("moments")
    return tuple(Moment(m["step"], m["name"], m["note"]) for m in data)


def load_thumbnail(content: bytes) -> bytes:
    """Returns a small PNG, checked by its heading."""

    heading = struct.pack(">8sI4s", b"\x89PNG\r\n\x1a\n", 13, b"IHDR")
    if len(content) < 33 or not content.startswith(heading):
        raise broken("thumbnail")
    if max(struct.unpack_from(">2I", content, 16)) > MOST_SIDE:
        raise broken("thumbnail")
    return content


def is_step(value: Any) -> TypeGuard[int]:
    """Returns whether a JSON value is a number of steps."""

    return type(value) is int and 0 <= value < 2**53


def _entry(entry: Any, before: Log, base: Path, most: int) -> tuple[int, Recipe]:
    step = entry.get("step") if isinstance(entry, dict) else None
    if not is_step(step) or not (before[-1][0] if before else 0) <= step <= most:
        raise broken("log")
    try:
        match entry:
            case {"step": _, "recipe": dict(recipe), **rest} if not rest and not before:
                return step, decode(recipe, Recipe(), base=base)
            case {"step": _, "change": dict(change), **rest} if not rest and before:
                return step, applied(before[-1][1], change, base)
    except BadInput as fault:
        raise fault.within("log") from None
    raise broken("log")


def _numbers(component: Component) -> int:
    """Returns about how many numbers and parts a component holds."""

    values = (getattr(component, name) for name, _, _ in knobs(component))
    return sum(_length(value) for value in values)


def _length(value: Any) -> int:
    if isinstance(value, Component):
        return _numbers(value)
    if isinstance(value, tuple):
        return len(value) + sum(_numbers(part) for part in value if isinstance(part, Component))
    return 1


def _series(name: str, rows: Tensor) -> Series:
    columns = COLUMNS.get(name.partition("/")[0])
    if columns is None or rows.dtype != torch.float64 or rows.ndim != 2 or rows.shape[1] != len(columns):
        raise broken("series")
    table = rows.numpy()
    steps = np.concatenate([[0], table[:, 0], [2.0**53]])
    if not (steps[1:] >= steps[:-1]).all():
        raise broken("series")
    table.flags.writeable = False
    return Series(columns, table)


def _is_moment(data: Any) -> bool:
    kinds = {"step": int, "name": str, "note": str}
    return (
        isinstance(data, dict)
        and set(data) == set(kinds)
        and is_step(data["step"])
        and all(isinstance(data[key], kind) for key, kind in kinds.items())
    )


def _refuse(constant: str) -> float:
    raise ValueError(constant)
