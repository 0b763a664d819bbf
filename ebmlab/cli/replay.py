from __future__ import annotations

import argparse
import time

import torch

from ebmlab.cli.evaluate import show_figures
from ebmlab.cli.main import Failed
from ebmlab.cli.output import Progress, finite, show_json
from ebmlab.cli.sources import read_run
from ebmlab.session.replay import Verdict, replay
from ebmlab.session.session import Diverged, Session


def run(args: argparse.Namespace) -> int:
    """Trains a saved run again from its log, and says whether it came out the same.

    Raises:
        Failed: If it did not, or diverged.
    """

    torch.set_num_threads(1)
    start = time.perf_counter()
    session, verdict = _replayed(args)
    seconds, evaluation = time.perf_counter() - start, finite(session.evaluate().to_json())
    if args.json:
        show_json(
            {
                "same": verdict.same,
                "steps": verdict.steps,
                "start": verdict.start,
                "seconds": seconds,
                "device": str(session.device),
                "weights_compared": verdict.weights,
                "figures_compared": verdict.figures,
                "differences": [{"step": d.step, "what": d.what, "most": d.most} for d in verdict.differences],
                **({"why": verdict.why} if verdict.why else {}),
                "evaluation": evaluation,
            }
        )
    else:
        _tell(verdict, session, seconds)
        show_figures(evaluation)
    if not verdict.same:
        first = verdict.differences[0]
        raise Failed(f"{args.run}: {first.what} at step {first.step} differ by up to {first.most:.3g}; {verdict.why}")
    return 0


def _replayed(args: argparse.Namespace) -> tuple[Session, Verdict]:
    progress = Progress(1000, "parts in a thousand")
    pieces = replay(read_run(args.run), args.device, thorough=args.verify)
    try:
        while True:
            progress(int(1000 * next(pieces)))
    except StopIteration as end:
        return end.value
    except Diverged as failure:
        raise Failed(str(failure)) from None
    finally:
        progress.close()


def _tell(verdict: Verdict, session: Session, seconds: float) -> None:
    origin = "from the seed" if verdict.start == 0 else f"from step {verdict.start}, the first that was kept whole"
    print(f"{verdict.steps} steps {origin}, in {seconds:.1f} s on {session.device}")
    print(f"compared: {verdict.weights} sets of weights, {verdict.figures} figures")
    if verdict.same:
        print("all came out the same, bit for bit")
        return
    for difference in verdict.differences[:8]:
        print(f"  step {difference.step}: {difference.what} differ by up to {difference.most:.3g}")
    print(verdict.why)
