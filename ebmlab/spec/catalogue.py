"""The catalogue: what a component's docstring says, taken apart for tool-tips, pages and the command line."""

from __future__ import annotations

import inspect
import re
from dataclasses import dataclass
from typing import Any

from ebmlab.spec.component import Component, is_part, knobs
from ebmlab.spec.knob import Knob, bounds
from ebmlab.spec.registry import FAMILIES

_MATH = re.compile(r"^\.\. math::(?P<first>[^\n]*)\n?(?P<rest>(?:[ \t]+[^\n]*\n?|\n(?=[ \t]))*)", re.MULTILINE)
_ROLE = re.compile(r":\w+:`~?([^`]*)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A component's page.

    Arguments:
        family: Its family.
        kind: The name that users type.
        title: The first line of the docstring.
        equations: The displayed equations, in TeX.
        text: The remaining paragraphs: what it estimates, what it cannot.
        references: Pairs of a title with authors and year, and a link.
        knobs: Name, default and declaration of each knob.
    """

    family: str
    kind: str
    title: str
    equations: tuple[str, ...]
    text: str
    references: tuple[tuple[str, str], ...]
    knobs: tuple[tuple[str, Any, Knob], ...]


def page(component: Component | type[Component]) -> Page:
    """Returns the page of a component, read off its declaration."""

    cls = component if isinstance(component, type) else type(component)
    doc = inspect.cleandoc(cls.__doc__ or "")
    doc, _, tail = doc.partition("\nReferences:\n")
    title, _, body = doc.partition("\n")
    equations = tuple(_tex(m) for m in _MATH.finditer(body))
    text = re.sub(r"\n{3,}", "\n\n", _MATH.sub("", body)).strip()
    return Page(
        family=cls.family,
        kind=cls.kind,
        title=title.rstrip("."),
        equations=equations,
        text=text,
        references=_references(tail),
        knobs=tuple(knobs(cls)),
    )


def shelves() -> dict[str, dict[str, type[Component]]]:
    """Returns every component by its heading and kind: the family, or the section that a class says it belongs to."""

    found: dict[str, dict[str, type[Component]]] = {}
    for family, registry in FAMILIES.items():
        for kind, cls in registry.items():
            found.setdefault(getattr(cls, "section", family), {})[kind] = cls
    return found


def describe(component: Component | type[Component]) -> str:
    """Returns the page of a component as plain text."""

    p = page(component)
    lines = [f"{p.family} {p.kind}: {p.title}", ""]
    lines += [f"    {equation}" for equation in p.equations]
    lines += ["", _ROLE.sub(r"\1", p.text), ""] if p.text else [""]
    for name, default, k in p.knobs:
        lines.append(f"  {name} = {written(k, default)}  {' '.join(filter(None, (k.help, note(k))))}")
    if p.references:
        lines += ["", "References:"] + [f"  {title}  {link}".rstrip() for title, link in p.references]
    return "\n".join(lines)


def note(k: Knob) -> str:
    """Returns what a person should know of a knob besides its help: range, choices, whether it restarts the run."""

    facts = [
        f"one of {', '.join(k.choices)}" if k.choices else bounds(k),
        "" if k.live else "restarts the run",
    ]
    facts = list(filter(None, facts))
    return f"({'; '.join(facts)})" if facts else ""


def written(k: Knob, default: Any) -> str:
    """Returns the default of a knob as a person writes it."""

    if is_part(k, default):
        several = default if isinstance(default, tuple) else (default,)
        return "+".join(c.kind for c in several) or "…"
    return f"{default:g}" if isinstance(default, float) else str(default)


def _tex(match: re.Match[str]) -> str:
    lines = [match["first"], *match["rest"].splitlines()]
    return " ".join(filter(None, (line.strip() for line in lines)))


def _references(tail: str) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for line in (line.strip().removeprefix("|").strip() for line in tail.splitlines()):
        if line.startswith("http") and found:
            found[-1] = (found[-1][0], line)
        elif line:
            found.append((line, ""))
    return tuple(found)
