"""What a component is, said once: knobs, registries, the file format, the catalogue. Standard library only."""

from ebmlab.spec.catalogue import Page, page
from ebmlab.spec.codec import amend, decode, encode, read_knob, write_knob
from ebmlab.spec.component import Component, changes, components, find, knobs, rebuilds
from ebmlab.spec.errors import BadInput
from ebmlab.spec.knob import Knob, knob, part, parts
from ebmlab.spec.registry import FAMILIES, Registry

__all__ = [
    "FAMILIES",
    "BadInput",
    "Component",
    "Knob",
    "Page",
    "Registry",
    "amend",
    "changes",
    "components",
    "decode",
    "encode",
    "find",
    "knob",
    "knobs",
    "page",
    "part",
    "parts",
    "read_knob",
    "rebuilds",
    "write_knob",
]
