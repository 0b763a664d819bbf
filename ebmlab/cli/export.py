from __future__ import annotations

import argparse
from typing import Any

from ebmlab.cli.main import Failed
from ebmlab.cli.output import Progress, show_json
from ebmlab.cli.sources import open_amended, read_run
from ebmlab.engine.types import Work
from ebmlab.record.export import TOLERANCE, Exported, export, find_format
from ebmlab.spec import BadInput


def run(args: argparse.Namespace) -> int:
    """Writes a trained energy for other programs, and says how far the file is from torch."""

    _check(args.to)
    saved = read_run(args.run)
    done = _finish(export(open_amended(saved, args), args.to, args.out, saved))
    if done.fault:
        raise Failed(done.fault)
    if args.json:
        show_json(_answer(done))
    else:
        print(_said(done))
    return 0


def _check(name: str) -> None:
    """Checks the format first, so that what is missing is said before any work."""

    try:
        find_format(name).demand()
    except BadInput as fault:
        raise fault.within(source="--to") from None


def _finish(pieces: Work[Exported]) -> Exported:
    progress = Progress(100, "%")
    try:
        while True:
            progress(int(100 * next(pieces)))
    except StopIteration as end:
        return end.value
    finally:
        progress.close()


def _answer(done: Exported) -> dict[str, Any]:
    check = done.check._asdict() if done.check else None
    return {"format": done.format, "file": done.path, "bytes": done.size, "check": check}


def _said(done: Exported) -> str:
    said = f"saved {done.size:,} bytes in {done.path}"
    if done.check is None:
        return said
    by, points, error, rounding = done.check
    far = f"at most {error:.1e} from" if error else "the same as"
    also = f", which is itself rounded by {rounding:.1e}" if error > TOLERANCE else ""
    return f"{said}; read again by {by} at {points:,} points: {far} torch{also}"
