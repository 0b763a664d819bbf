from __future__ import annotations

import argparse
from difflib import get_close_matches

import ebmlab.engine.dimension  # noqa: F401 (fills a family)
from ebmlab.cli.output import show_json, table
from ebmlab.session.gallery import exhibits  # fills the families, too
from ebmlab.spec import BadInput, page
from ebmlab.spec.catalogue import shelves

RECIPES = "recipes"


def run(args: argparse.Namespace) -> int:
    """Lists the components under every heading, or under one, or the recipes of the gallery."""

    headings = shelves()
    if args.family == RECIPES:
        titles = {RECIPES: {exhibit.name: exhibit.title for exhibit in exhibits()}}
    elif args.family is not None and args.family not in headings:
        near = get_close_matches(args.family, [*headings, RECIPES], n=2) or [*headings, RECIPES]
        raise BadInput(f"there is no such family; did you mean {' or '.join(near)}?", source=args.family[:80])
    else:
        chosen = [args.family] if args.family else headings
        titles = {name: {kind: page(cls).title for kind, cls in headings[name].items()} for name in chosen}
    if args.json:
        show_json(titles)
        return 0
    for heading, kinds in titles.items():
        print(f"{heading}:")
        table((f"  {kind}", title) for kind, title in kinds.items())
    return 0
