"""An exhibit: one phenomenon as a recipe, its rivals, and the claim that their exact figures must bear out."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any

from ebmlab.assets import gallery
from ebmlab.session.gallery.claim import Claim, read_claim
from ebmlab.session.gallery.course import Course
from ebmlab.session.gallery.measures import MEASURES
from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput, decode

FORMAT, VERSION = "ebmlab-exhibit", 1
MAIN = ""
"""The name of the run that the exhibit opens with; its figures go by their own names."""

_TEXTS = ("title", "text", "look")
_COURSE = {"steps", "recipe", "edits", "measures"}
_KEYS = {"format", "version", "number", *_TEXTS, *_COURSE, "rivals", "claims"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A phenomenon of the gallery.

    Arguments:
        name: What it is called on the command line.
        number: Its place in the gallery.
        title: The phenomenon, in a few words.
        text: Two sentences: what happens, and why.
        look: What to look at in the window.
        courses: The runs by their names, the main one first and without a name.
        claims: What the figures of the runs must bear out.
    """

    name: str
    number: int
    title: str
    text: str
    look: str
    courses: Mapping[str, Course]
    claims: tuple[Claim, ...]

    @property
    def recipe(self) -> Recipe:
        """The recipe that it opens with."""

        return self.courses[MAIN].recipe

    @property
    def steps(self) -> int:
        """How many steps that is trained."""

        return self.courses[MAIN].steps


@cache
def exhibits() -> tuple[Exhibit, ...]:
    """Returns the gallery, in order."""

    return tuple(sorted((load_exhibit(path) for path in gallery().values()), key=lambda e: (e.number, e.name)))


def find_exhibit(name: str) -> tuple[Exhibit, Course]:
    """Returns the exhibit of a name, and the run that ``NAME/RIVAL`` means, the main one for ``NAME``.

    Raises:
        BadInput: If there is none. The message names the nearest.
    """

    title, _, rival = name.partition("/")
    paths = gallery()
    if title not in paths:
        near = get_close_matches(title, paths, n=2) or list(paths)[:6]
        raise BadInput(f"no exhibit of the gallery is called that; did you mean {' or '.join(near)}?", source=name[:80])
    exhibit = load_exhibit(paths[title])
    if rival not in exhibit.courses:
        near = get_close_matches(rival, exhibit.courses, n=2) or [key for key in exhibit.courses if key]
        mend = f"did you mean {' or '.join(near)}?" if near else f"give {title} alone"
        raise BadInput(f"this exhibit has no such run; {mend}", source=name[:80])
    return exhibit, exhibit.courses[rival]


def load_exhibit(path: Path) -> Exhibit:
    """Reads an exhibit from its file.

    Raises:
        BadInput: If it is broken.
    """

    try:
        return _read(path.stem, json.loads(path.read_text(encoding="utf-8")), path.absolute().parent)
    except json.JSONDecodeError as fault:
        raise BadInput(f"line {fault.lineno}: {fault.msg}; mend the JSON there", source=str(path)) from None
    except BadInput as fault:
        raise fault.within(source=str(path)) from None


def is_exhibit(data: object) -> bool:
    """Returns whether JSON values are an exhibit's rather than a recipe's."""

    return isinstance(data, dict) and data.get("format") == FORMAT


def _read(name: str, data: Any, base: Path) -> Exhibit:
    if not is_exhibit(data) or data.get("version") != VERSION:
        raise BadInput(f"this is no exhibit; give format {FORMAT!r} and version {VERSION}", key="format")
    _only(data, _KEYS)
    main = _course(data, Course(recipe=Recipe(), steps=0), base)
    rivals: dict[str, Course] = {}
    for key, value in _object(data.get("rivals", {}), "rivals").items():
        _only(_object(value, key), _COURSE)
        rivals[key] = _course(value, main, base)
    texts = {key: str(data.get(key, "")) for key in _TEXTS}
    return Exhibit(
        name=name,
        number=int(data.get("number", 0)),
        courses={MAIN: main, **rivals},
        claims=tuple(read_claim(text) for text in data.get("claims", ())),
        **texts,
    )


def _course(data: Mapping[str, Any], default: Course, base: Path) -> Course:
    """Reads a run; what it does not say is as in another."""

    recipe = _amended(data.get("recipe", {}), default.recipe, base)
    edits: list[tuple[int, Recipe]] = []
    for step, overlay in sorted(_object(data.get("edits", {}), "edits").items(), key=lambda item: int(item[0])):
        edits.append((int(step), _amended(overlay, edits[-1][1] if edits else recipe, base)))
    measures = default.measures
    if "measures" in data:
        first = next(iter(MEASURES.values()))()
        measures = tuple(decode(each, first, MEASURES.family, base) for each in data["measures"])
    return Course(recipe=recipe, steps=int(data.get("steps", default.steps)), edits=tuple(edits), measures=measures)


def _amended(data: Any, recipe: Recipe, base: Path) -> Recipe:
    try:
        return decode(data, recipe, base=base)
    except BadInput as fault:
        raise fault.within("recipe") from None


def _object(data: Any, key: str) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise BadInput("this is no object; give one such as {}", key=key)
    return data


def _only(data: Mapping[str, Any], keys: set[str]) -> None:
    for key in data:
        if key not in keys:
            near = get_close_matches(key, keys, n=2) or sorted(keys)
            raise BadInput(f"there is no such key; did you mean {' or '.join(near)}?", key=key)
