from __future__ import annotations

import argparse
from difflib import get_close_matches

import ebmlab.engine.dimension
import ebmlab.session.recipe  # noqa: F401 (both fill families)
from ebmlab.spec import FAMILIES, BadInput, Component
from ebmlab.spec.catalogue import describe


def run(args: argparse.Namespace) -> int:
    """Shows the page of every component of a kind; several families may have one."""

    print("\n\n".join(describe(cls) for cls in find(args.kind)))
    return 0


def find(name: str) -> list[type[Component]]:
    """Returns the components called KIND, or FAMILY/KIND.

    Raises:
        BadInput: If there are none.
    """

    family, slash, kind = name.rpartition("/")
    if slash and family not in FAMILIES:
        near = get_close_matches(family, FAMILIES, n=2) or list(FAMILIES)
        raise BadInput(f"there is no such family; did you mean {' or '.join(near)}?", source=name[:80])
    registries = [FAMILIES[family]] if slash else list(FAMILIES.values())
    found = [registry[kind] for registry in registries if kind in registry]
    if not found:
        kinds = [k for registry in registries for k in registry]
        near = get_close_matches(kind, kinds, n=2)
        mend = f"did you mean {' or '.join(dict.fromkeys(near))}?" if near else "see ebmlab list"
        raise BadInput(f"there is no such component; {mend}", source=name[:80])
    return found
