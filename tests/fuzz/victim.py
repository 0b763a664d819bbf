"""Opens session files that may be hostile, as the lab does, and reports what came of each: ``victim.py FILE...``.

It ends at once, with a report, if a file makes it raise anything but a sentence for the user, write a file, wait too
long or take too much memory.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
import traceback

import torch

SECONDS = 20
MEGABYTES = 500


class TooLong(BaseException):
    pass


def main(paths: list[str]) -> None:
    from ebmlab.session.archive import load_run
    from ebmlab.session.recipe import Recipe
    from ebmlab.session.session import Session

    torch.set_num_threads(1)
    Session(Recipe(), "cpu").step()  # what torch loads at the first step is no fault of a file
    assert load_run
    sys.addaudithook(watch)
    signal.signal(signal.SIGALRM, stop)
    counts: dict[str, int] = {}
    for path in paths:
        outcome = lived(path)
        counts[outcome] = counts.get(outcome, 0) + 1
    sys.stdout.write(json.dumps({**counts, "megabytes": megabytes()}))


def lived(path: str) -> str:
    try:
        signal.alarm(SECONDS)
        return opened(path)
    except TooLong:
        report(path, f"it took more than {SECONDS} s: {traceback.format_exc()}")
    except Exception:
        report(path, traceback.format_exc())
    finally:
        signal.alarm(0)
        if megabytes() > MEGABYTES:
            report(path, f"it took {megabytes()} MB")
    raise AssertionError


def opened(path: str) -> str:
    from ebmlab.session.archive import load_run, write_run
    from ebmlab.session.checkpoint import open_run
    from ebmlab.session.frame import Frame
    from ebmlab.session.reel import Reel
    from ebmlab.session.session import Diverged
    from ebmlab.session.snapshot import Lens
    from ebmlab.session.state import State
    from ebmlab.spec import BadInput

    lens = Lens(resolution=16)
    try:
        run = load_run(path)
        for kept in run.kept:
            refused(Frame.loads, kept.frame.read())
            if kept.state is not None:
                refused(State.loads, kept.state.read())
        for kept in run.kept:
            refused(lambda step: Reel(run).snapshot(step, lens), kept.step)
        session = open_run(run, "cpu")
    except BadInput as fault:
        demand_a_sentence(str(fault), path)
        return "refused"
    with tempfile.TemporaryDirectory() as folder:
        write_run(run, os.path.join(folder, "again.ebmlab"))
        load_run(os.path.join(folder, "again.ebmlab"))
    if run.recipe.batch > 1000:
        return "opened, and large"
    try:
        signal.alarm(3)
        session.step()
        session.capture().dumps()
    except (Diverged, BadInput):
        return "opened and failed"
    except TooLong:
        return "opened and slow"
    return "opened"


def refused(read, content: object) -> None:
    from ebmlab.spec import BadInput

    with contextlib.suppress(BadInput):
        read(content)


def demand_a_sentence(text: str, path: str) -> None:
    if "\n" in text or len(text) > 1000 or not any(mend in text for mend in (";", "did you mean", "such as")):
        raise AssertionError(f"this is no sentence: {text[:2000]}")


def watch(event: str, args: tuple[object, ...]) -> None:
    """Ends the process if anything is written but temporary files."""

    if event == "open" and isinstance(args[2], int) and args[2] & (os.O_CREAT | os.O_WRONLY | os.O_RDWR):
        place = os.path.realpath(str(args[0]))
        if not place.startswith((os.path.realpath(tempfile.gettempdir()), "/dev/null")) or "__pycache__" in place:
            report(place, f"it opened {args[0]!r} for writing")
    if event in ("os.system", "subprocess.Popen", "socket.connect", "pickle.find_class"):
        report(event, f"it wanted {event} {args}")


def stop(number: int, frame: object) -> None:
    raise TooLong


def megabytes() -> int:
    """Returns the most memory that there was: of this program alone, not of what started it, where that can be told."""

    with contextlib.suppress(OSError), open("/proc/self/status") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmHWM")) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // (2**20 if sys.platform == "darwin" else 1024)


def report(path: str, what: str) -> None:
    sys.stderr.write(f"{path}\n{what}")
    sys.stderr.flush()
    os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1:])
