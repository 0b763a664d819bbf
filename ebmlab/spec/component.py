from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from ebmlab.spec.errors import BadInput
from ebmlab.spec.knob import Knob, check


@dataclass(frozen=True, kw_only=True)
class Component:
    """A frozen dataclass of parameters, every field of which is a knob.

    A component is a value: it is checked when made, compared by its fields, and never changes. What changes during
    a run lives elsewhere.
    """

    family: ClassVar[str] = ""
    kind: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for name, default, k in knobs(type(self)):
            value = getattr(self, name)
            if not is_part(k, default):
                try:
                    object.__setattr__(self, name, check(k, default, value))
                except BadInput as fault:
                    raise fault.within(name) from None
        self.validate()

    def validate(self) -> None:
        """Checks what concerns several knobs at once.

        Raises:
            BadInput: If they do not fit together.
        """

    def caution(self) -> str:
        """Says in a few words what these parameters cannot do though they are allowed; empty if nothing is known."""

        return ""


def knobs(component: Component | type[Component]) -> Iterator[tuple[str, Any, Knob]]:
    """Yields name, default and declaration of every knob, in the order they were declared."""

    for f in dataclasses.fields(component):
        if "knob" in f.metadata:
            yield f.name, f.default, f.metadata["knob"]


def components(component: Component, path: str = "") -> Iterator[tuple[str, Component]]:
    """Yields the dotted path of every component within one, however deep, with the component."""

    for name, _, _ in knobs(component):
        value = getattr(component, name)
        inner = enumerate(value) if isinstance(value, tuple) else [("", value)]
        for index, part in inner:
            if isinstance(part, Component):
                here = f"{path}{name}" + (f".{index}" if isinstance(value, tuple) else "")
                yield here, part
                yield from components(part, f"{here}.")


def find(component: Component, knob: str, path: str) -> tuple[str, Any] | None:
    """Returns dotted path and value of the first knob of a name, in a component at a path or in its parts."""

    for name, _, _ in knobs(component):
        value = getattr(component, name)
        if name == knob:
            return f"{path}.{name}", value
        if isinstance(value, Component) and (found := find(value, knob, f"{path}.{name}")):
            return found
    return None


def is_part(k: Knob, default: Any) -> bool:
    """Returns whether a knob holds a component, or several."""

    return bool(k.family) or isinstance(default, Component)


def changes(old: Component, new: Component) -> Iterator[tuple[str, bool]]:
    """Yields the dotted path of every knob that differs, and whether the change can go live."""

    for name, _, k in knobs(old):
        a, b = getattr(old, name), getattr(new, name)
        if a == b:
            continue
        if isinstance(a, Component) and type(a) is type(b):
            yield from ((f"{name}.{path}", live) for path, live in changes(a, b))
        else:
            yield name, k.live


def rebuilds(old: Component, new: Component) -> set[str]:
    """Returns the dotted paths of the changes that cannot go live; empty if the run may carry on."""

    return {path for path, live in changes(old, new) if not live}
