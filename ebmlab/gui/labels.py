"""What knobs, kinds and faults are called on the screen."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from PySide6.QtCore import QCoreApplication

from ebmlab.spec import FAMILIES, BadInput, Component, Knob, page
from ebmlab.spec.catalogue import note

_SPOKEN = {"optimizer": "optimiser", "log_z": "log Z"}
_HEADINGS = {
    "target": "Targets",
    "energy": "Energies",
    "normalised": "Normalised models",
    "estimator": "Estimators",
    "sampler": "Samplers",
    "log-z": "Methods for log Z",
    "optimizer": "Optimisers",
    "mark": "Marks of a drawing",
}


class Section(NamedTuple):
    """Components that are listed under one heading."""

    heading: str
    members: tuple[type[Component], ...]


def title(cls: type[Component]) -> str:
    """Returns what a component is called on the screen."""

    return _titles(cls.family)[cls.kind]


@lru_cache
def _titles(family: str) -> dict[str, str]:
    return {kind: page(cls).title for kind, cls in FAMILIES[family].items()}


def sections(family: str) -> list[Section]:
    """Returns the components of a family under their headings; most families have but one."""

    found: dict[str, list[type[Component]]] = {}
    for cls in FAMILIES.get(family, {}).values():
        found.setdefault(getattr(cls, "section", family), []).append(cls)
    order = sorted(found, key=[*_HEADINGS].index if found.keys() <= _HEADINGS.keys() else None)
    return [Section(heading(name), tuple(found[name])) for name in order]


def heading(name: str) -> str:
    """Returns what the components of a family, or of a part of it, are called together."""

    return QCoreApplication.translate("Catalogue", _HEADINGS.get(name, name))


def families() -> list[str]:
    """Returns the families that recipes are made of, in the order in which one thinks of them."""

    return [name for name in _HEADINGS if name in FAMILIES]


def label(name: str, k: Knob) -> str:
    """Returns what a knob is called on the screen: its name and its symbol."""

    text = QCoreApplication.translate("Knob", _SPOKEN.get(name, name.replace("_", " ")))
    return f"{text} {k.symbol}" if k.symbol and k.symbol != text else text


def tip(k: Knob) -> str:
    """Returns the tool-tip of a knob: help, range, whether it restarts the run."""

    return " ".join(filter(None, (QCoreApplication.translate("Knob", k.help), note(k))))


def sentence(fault: BadInput) -> str:
    """Returns a fault as a sentence."""

    text = str(fault)
    return f"{text[:1].upper()}{text[1:]}."
