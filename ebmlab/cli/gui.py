from __future__ import annotations

import argparse

from ebmlab.cli.system import apt_line, has_display, missing, needs_screen
from ebmlab.spec import BadInput


def run(args: argparse.Namespace) -> int:
    """Opens the lab."""

    if not has_display():
        raise BadInput(
            "there is no display to open a window on; train, evaluate, log-z, sample, list and bench need none"
        )
    if packages := missing(needs_screen()):
        raise BadInput(f"Qt lacks system libraries; run: {apt_line(packages)}")
    from ebmlab.gui import app

    return app.run(args.file, seconds=args.seconds, screenshot=args.screenshot, stats=args.stats, device=args.device)
