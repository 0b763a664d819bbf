"""What was tried: one row for each run, of a sweep's table and of the window's own log."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput, encode


@dataclass(frozen=True, kw_only=True)
class Tried:
    """A run that has ended, with what it has come to.

    Arguments:
        name: What it is called; in a sweep the digest of its recipe.
        recipe: What it began with.
        steps: How many steps it has taken.
        seconds: Compute time that the training took.
        figures: The exact figures at its end, as ``ebmlab evaluate --json`` prints them.
        diverged: Whether it met a number that is not finite.
        why: Why it ended early; empty if it did not.
        knobs: The knobs that a sweep varies, by their dotted paths, with their JSON values.
        together: How many runs were trained in one batch with it, itself included.
        session: The file of its session; empty if none is kept.
        when: When it ended, in seconds since 1970; 0 where nobody wrote it down.
    """

    name: str
    recipe: Recipe
    steps: int
    seconds: float
    figures: Mapping[str, Any] = field(default_factory=dict)
    diverged: bool = False
    why: str = ""
    knobs: tuple[tuple[str, Any], ...] = ()
    together: int = 1
    session: str = ""
    when: float = 0.0

    def figure(self, name: str) -> float | None:
        """Returns one of the exact figures; None where it is withheld."""

        value = self.figures.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def to_json(self) -> dict[str, Any]:
        """Returns the row as JSON values; a number that is not finite becomes null."""

        return {
            "name": self.name,
            "knobs": dict(self.knobs),
            "steps": self.steps,
            "seconds": self.seconds,
            "diverged": self.diverged,
            "why": self.why,
            "together": self.together,
            "evaluation": finite(dict(self.figures)),
            "session": self.session,
            "when": self.when,
            "recipe": encode(self.recipe),
        }

    @classmethod
    def from_json(cls, data: Any, base: Path | None = None) -> Tried:
        """Returns the row that JSON values stand for; the path of the session is relative to a folder.

        Raises:
            BadInput: If they stand for none.
        """

        kinds: dict[str, Any] = {"name": str, "steps": int, "seconds": (int, float), "evaluation": dict, "session": str}
        if not isinstance(data, dict) or not all(isinstance(data.get(key), kind) for key, kind in kinds.items()):
            raise BadInput("this is no row of what was tried; give name, recipe, steps, seconds and evaluation")
        knobs, together, when = data.get("knobs"), data.get("together"), data.get("when")
        session = data["session"]
        return cls(
            name=data["name"],
            recipe=Recipe.loads(json.dumps(data.get("recipe"))),
            steps=data["steps"],
            seconds=float(data["seconds"]),
            figures=data["evaluation"],
            diverged=data.get("diverged") is True,
            why=str(data.get("why", "")),
            knobs=tuple(knobs.items()) if isinstance(knobs, dict) else (),
            together=together if isinstance(together, int) else 1,
            session=str(base / session) if base and session else session,
            when=float(when) if isinstance(when, int | float) else 0.0,
        )


def append_tried(path: str | os.PathLike[str], tried: Tried) -> None:
    """Adds a row to a log of one JSON object a line; a line that a kill has cut short is left to itself."""

    line = json.dumps(tried.to_json(), ensure_ascii=False, allow_nan=False).encode() + b"\n"
    with open(path, "ab+") as file:
        if file.tell():
            file.seek(-1, os.SEEK_END)
            line = line if file.read(1) == b"\n" else b"\n" + line
        file.write(line)


def read_log(path: str | os.PathLike[str]) -> list[Tried]:
    """Returns the rows of a log in the order in which they were added, without lines that are broken.

    A log that does not exist has none.
    """

    try:
        lines = Path(path).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    rows = []
    for line in lines:
        try:
            rows.append(Tried.from_json(json.loads(line)))
        except (ValueError, RecursionError):  # a fault in what a person gave is a ValueError too
            continue
    return rows


def write_log(path: str | os.PathLike[str], rows: Iterable[Tried]) -> None:
    """Replaces a log by these rows, beside and renamed."""

    lines = [json.dumps(row.to_json(), ensure_ascii=False, allow_nan=False) + "\n" for row in rows]
    beside = Path(path).with_name(Path(path).name + ".part")
    beside.write_text("".join(lines), encoding="utf-8")
    beside.replace(path)


def finite(value: Any) -> Any:
    """Returns JSON values with null for every number that is not finite."""

    if isinstance(value, Mapping):
        return {str(key): finite(v) for key, v in value.items()}
    if isinstance(value, list | tuple):
        return [finite(v) for v in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
