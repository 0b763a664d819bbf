from __future__ import annotations

import argparse
from pathlib import Path

from ebmlab.cli.output import show_json
from ebmlab.record.export import load_weights
from ebmlab.session.archive import check_free, write_run


def run(args: argparse.Namespace) -> int:
    """Makes a run of weights that `ebmlab export --to safetensors` has written."""

    check_free(Path(args.out))
    found = load_weights(args.file)
    write_run(found, args.out)
    numbers = sum(w.numel() for w in (found.weights or {}).values())
    energy = found.recipe.energy.kind
    if args.json:
        show_json({"run": args.out, "energy": energy, "step": found.step, "numbers": numbers})
    else:
        print(f"saved in {args.out}: {energy}, {numbers:,} numbers, {found.step} steps")
    return 0
