"""What knobs, kinds and faults are called on the screen."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QCoreApplication

from ebmlab.spec import FAMILIES, BadInput, Knob, page
from ebmlab.spec.catalogue import note

_SPOKEN = {"optimizer": "optimiser", "log_z": "log Z"}


@lru_cache
def kinds(family: str) -> tuple[tuple[str, str], ...]:
    """Returns kind and title of every component of a family."""

    return tuple((kind, page(cls).title) for kind, cls in FAMILIES.get(family, {}).items())


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
