"""A set-up in the forms that people pass on: a line of text, a script, a command, a file."""

from __future__ import annotations

import base64
import binascii
import json
import re
import shlex
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from ebmlab.session.members import is_long
from ebmlab.session.recipe import Recipe
from ebmlab.spec import BadInput, Component, Knob, amend, components, knobs, write_knob

SCHEME = "ebmlab:"
VERSION = 1
MOST_LINK, MOST_TEXT = 2**21, 2**23
LONG_COMMAND = 2000
"""Characters beyond which a command takes the recipe as a link."""
STEPS = 2000
WIDTH = 100
_PRINT = "print(session.evaluate().kl)"
_LINK = re.compile(rf"{SCHEME}([0-9]{{1,9}}):([A-Za-z0-9_-]+)")


def link(recipe: Recipe) -> str:
    """Returns a recipe as a line of text, ``ebmlab:1:...``: what differs from the defaults, packed, with a checksum.

    Raises:
        BadInput: If the recipe names a file, which no link can hold.
    """

    _demand_no_file(recipe, "send the session file, which holds it")
    text = json.dumps(differing(recipe, Recipe()), ensure_ascii=False, separators=(",", ":")).encode()
    packer = zlib.compressobj(9, wbits=-15)
    packed = zlib.crc32(text).to_bytes(4, "big") + packer.compress(text) + packer.flush()
    return f"{SCHEME}{VERSION}:{base64.urlsafe_b64encode(packed).decode().rstrip('=')}"


def is_link(text: str) -> bool:
    """Returns whether a text is meant as a link."""

    return text.lstrip(" \t\r\n<\"'").startswith(SCHEME)


def from_link(text: str) -> Recipe:
    """Returns the recipe of a link; white space, as letters break lines with it, does not matter.

    Raises:
        BadInput: If it is no link, or not a whole one, or newer than this program.
    """

    try:
        return _recipe("".join(text.split()).strip("<>\"'"))
    except BadInput as fault:
        raise fault.within(source="the link") from None


def script(recipe: Recipe, steps: int = STEPS) -> str:
    """Returns a Python program that makes the recipe, trains it and prints its Kullback-Leibler divergence."""

    homes = {_home(part): set[str]() for _, part in _written(recipe)}
    for _, part in _written(recipe):
        homes[_home(part)].add(type(part).__name__)
    imports = [f"from {home} import {', '.join(sorted(names))}" for home, names in sorted(homes.items())]
    made = _call("ebmlab.Recipe", recipe, 0, len("recipe = "))
    train = ["session = ebmlab.Session(recipe)", f"for _ in range({steps}):", "    session.step()"]
    return "\n".join(["import ebmlab", *imports, "", f"recipe = {made}", *train, "", _PRINT, ""])


def command(recipe: Recipe, steps: int = STEPS) -> str:
    """Returns the command that trains the recipe, quoted for a POSIX shell."""

    words = ["ebmlab", "train", "-o", "run", "--steps", str(steps)]
    for setting in settings(recipe):
        words += ["--set", setting]
    typed = shlex.join(words)
    if len(typed) > LONG_COMMAND and not _file(recipe):
        return shlex.join([*words[:2], link(recipe), *words[2:6]])
    return typed


def settings(recipe: Recipe) -> list[str]:
    """Returns what ``--set`` must say, in order, to make a recipe of the default one."""

    made, found = Recipe(), list[str]()
    for name, _, k in knobs(recipe):
        value = getattr(recipe, name)
        if value == getattr(made, name):
            continue
        usual = getattr(made, name)
        for choice in (list(_settings(name, value, usual, k)), [f"{name}={_json(_short(value, usual, k))}"]):
            trial = _set(made, choice)  # some knobs will do only together, such as a formula and its parameters
            if trial is not None and getattr(trial, name) == value:
                made, found = trial, found + choice
                break
    return found


def differing(component: Component, default: Component) -> dict[str, Any]:
    """Returns the knobs of a component that differ from those of another, as JSON values that a recipe file may hold.

    If it is of another kind, the kind is said, and the knobs that differ from that kind's own defaults.
    """

    data: dict[str, Any] = {}
    if type(component) is not type(default):
        default, data = type(component)(), {"kind": component.kind}
    for name, _, k in knobs(component):
        value, usual = getattr(component, name), getattr(default, name)
        if value != usual:
            data[name] = _short(value, usual, k)
    return data


def _short(value: Any, usual: Any, k: Knob) -> Any:
    if isinstance(value, Component):
        return differing(value, usual)
    if isinstance(value, tuple) and value and isinstance(value[0], Component):
        return [{"kind": part.kind, **differing(part, type(part)())} for part in value]
    return write_knob(value, k)


def _recipe(text: str) -> Recipe:
    match = _LINK.fullmatch(text.rstrip("="))
    if match is None:
        raise BadInput(f"this is none; give one that begins with {SCHEME}{VERSION}: and goes on in letters and digits")
    if int(match[1]) != VERSION:
        raise BadInput(f"it is of version {int(match[1])}, and this program reads {VERSION}; get a newer ebmlab")
    if len(text) > MOST_LINK:
        raise BadInput("it is longer than any that the lab makes; send the recipe as a file")
    content = _unpacked(match[2])
    if is_long(content):
        raise BadInput("it holds more values than a recipe may have; send the recipe as a file")
    recipe = Recipe.loads(content.decode(errors="replace"))
    _demand_no_file(recipe, "open that file yourself")
    return recipe


def _unpacked(text: str) -> bytes:
    """Returns the content of a link, never more than a recipe may need."""

    broken = BadInput("a part of it is missing or changed; copy all of it")
    try:
        packed = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        unpacker = zlib.decompressobj(wbits=-15)
        content = unpacker.decompress(packed[4:], MOST_TEXT)
    except (binascii.Error, ValueError, zlib.error):
        raise broken from None
    if not unpacker.eof or unpacker.unused_data or zlib.crc32(content) != int.from_bytes(packed[:4], "big"):
        raise broken
    return content


def _demand_no_file(recipe: Recipe, mend: str) -> None:
    if found := _file(recipe):
        raise BadInput(f"a link holds no files, and this recipe names {found[-60:]!r}; {mend}")


def _file(component: Component) -> str:
    """Returns the path of a file that a component or a part of it names, empty if there is none."""

    every = [component, *(part for _, part in components(component))]
    return next((path for part in every for name, _, k in knobs(part) if k.path and (path := getattr(part, name))), "")


def _settings(path: str, value: Any, usual: Any, k: Knob) -> Iterator[str]:
    """Yields settings that make a value of a usual one, knob by knob."""

    if not isinstance(value, Component):
        data = _short(value, usual, k)
        yield f"{path}={data if isinstance(data, str) and not _means_more(data) else _json(data)}"
        return
    if type(value) is not type(usual):
        yield f"{path}={value.kind}"
        usual = type(value)()
    for name, _, inner in knobs(value):
        if getattr(value, name) != getattr(usual, name):
            yield from _settings(f"{path}.{name}", getattr(value, name), getattr(usual, name), inner)


def _means_more(text: str) -> bool:
    """Returns whether the command line would take a text for a JSON value, or a terminal for a command of its own."""

    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return not text.isprintable()
    return True


def _set(recipe: Recipe, changes: list[str]) -> Recipe | None:
    """Returns the recipe as settings amend it, one after the other; None if one of them will not do by itself."""

    try:
        for change in changes:
            path, _, value = change.partition("=")
            recipe = amend(recipe, path, value)
    except BadInput:
        return None
    return recipe


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _written(component: Component) -> Iterator[tuple[str, Component]]:
    """Yields the parts of a component that its constructor must be given, and theirs."""

    for name, default, _ in knobs(component):
        value = getattr(component, name)
        if value == default:
            continue
        for part in value if isinstance(value, tuple) else (value,):
            if isinstance(part, Component):
                yield name, part
                yield from _written(part)


def _home(component: Component) -> str:
    """Returns the outermost package that gives a component's class under its name."""

    *way, name = [*type(component).__module__.split("."), type(component).__name__]
    homes = (".".join(way[:i]) for i in range(2, len(way) + 1))
    return next(home for home in homes if getattr(sys.modules.get(home), name, None) is type(component))


def _call(name: str, component: Component, indent: int, before: int) -> str:
    """Returns the constructor of a component, with the knobs that differ from its defaults, as Python."""

    inner = indent + 4
    given = [
        f"{knob}={_value(getattr(component, knob), k, inner, inner + len(knob) + 1)}"
        for knob, default, k in knobs(component)
        if getattr(component, knob) != default
    ]
    return _bracketed(f"{name}(", given, ")", indent, before)


def _value(value: Any, k: Knob, indent: int, before: int) -> str:
    if isinstance(value, Component):
        return _call(type(value).__name__, value, indent, before)
    if isinstance(value, tuple) and value and isinstance(value[0], Component):
        inner = indent + 4
        return _bracketed("(", [_call(type(v).__name__, v, inner, inner) for v in value], ",)", indent, before)
    return repr(dict(value) if k.names else value)


def _bracketed(opening: str, items: list[str], closing: str, indent: int, before: int) -> str:
    """Returns items in brackets, on one line if they fit."""

    line = opening + ", ".join(items) + closing
    if before + len(line) <= WIDTH and "\n" not in line:
        return line
    return (
        opening + "".join(f"\n{' ' * (indent + 4)}{item}," for item in items) + f"\n{' ' * indent}{closing.strip(',')}"
    )


SHARES: Mapping[str, Any] = {"link": link, "python": script, "command": command, "recipe": Recipe.dumps}
"""What a recipe can be passed on as."""
