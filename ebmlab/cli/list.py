from __future__ import annotations

import argparse
from difflib import get_close_matches

import ebmlab.session.recipe  # noqa: F401 (fills the families)
from ebmlab.cli.output import show_json, table
from ebmlab.spec import FAMILIES, BadInput, page


def run(args: argparse.Namespace) -> int:
    """Lists the components of every family, or of one."""

    if args.family is not None and args.family not in FAMILIES:
        near = get_close_matches(args.family, FAMILIES, n=2) or list(FAMILIES)
        raise BadInput(f"there is no such family; did you mean {' or '.join(near)}?", source=args.family[:80])
    families = [args.family] if args.family else list(FAMILIES)
    titles = {family: {kind: page(cls).title for kind, cls in FAMILIES[family].items()} for family in families}
    if args.json:
        show_json(titles)
        return 0
    for family, kinds in titles.items():
        print(f"{family}:")
        table((f"  {kind}", title) for kind, title in kinds.items())
    return 0
