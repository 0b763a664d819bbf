from __future__ import annotations

import argparse

import torch

from ebmlab.cli.main import Failed
from ebmlab.cli.output import Progress, number, show_json
from ebmlab.session.gallery import Exhibit, Performance, find_exhibit, perform


def run(args: argparse.Namespace) -> int:
    """Trains every run of an exhibit, measures it, and holds the figures against the claims.

    Raises:
        Failed: If a claim does not hold.
    """

    torch.set_num_threads(1)
    exhibit, _ = find_exhibit(args.exhibit)
    performance = _perform(exhibit, args.device)
    if args.json:
        show_json(
            {
                "name": exhibit.name,
                "title": exhibit.title,
                "holds": performance.holds,
                "claims": [
                    {"claim": f.claim, "left": f.left, "right": f.right, "holds": f.holds} for f in performance.findings
                ],
                "figures": performance.figures,
            }
        )
    else:
        print(f"{exhibit.title}. {exhibit.text}")
        for finding in performance.findings:
            verdict = "holds" if finding.holds else "FAILS"
            print(f"  {verdict}: {finding.claim}   ({number(finding.left)}, {number(finding.right)})")
    if not performance.holds:
        broken = next(finding.claim for finding in performance.findings if not finding.holds)
        raise Failed(f"{exhibit.name}: the claim {broken} does not hold")
    return 0


def _perform(exhibit: Exhibit, device: str) -> Performance:
    progress = Progress(1000, "parts in a thousand")
    pieces = perform(exhibit, device)
    try:
        while True:
            at = next(pieces)
            progress(int(1000 * at.share), " ".join(filter(None, (at.run, at.text))))
    except StopIteration as end:
        return end.value
    finally:
        progress.close()
