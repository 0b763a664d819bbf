"""What may be typed: every command and its arguments. Quick to import, so that ``--help`` is answered at once."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import NoReturn

from ebmlab import __version__
from ebmlab.spec import BadInput

COMMANDS = {
    "gui": "opens the lab, with a recipe, a file of points or a picture",
    "list": "lists the components, or those of one family",
    "describe": "shows a component: its equation, knobs and papers",
    "train": "trains a recipe without a window and saves the run",
    "evaluate": "gives the exact figures of a run, or of a recipe's untrained energy",
    "replay": "trains a saved run again from its log, and says whether it comes out the same",
    "claim": "performs an exhibit of the gallery and checks what it claims",
    "log-z": "estimates log Z, beside its exact value",
    "dimension": "tries the methods of log Z on known energies in ever more dimensions",
    "sample": "draws points from the energy",
    "sweep": "trains a recipe over the values of its knobs, on all cores or a cluster",
    "render": "makes a film or a picture of a run, by the file's ending, without a display",
    "export": "writes the trained energy for other programs, and checks the file",
    "import": "makes a run of weights that `export --to safetensors` has written",
    "share": "prints a recipe as a link, a script, a command or a file, to pass on",
    "bench": "measures how fast this machine is",
    "doctor": "reports versions, device, display and fonts, for bug reports",
}
MOST_STEPS = 10**9
MOST_POINTS = 1_000_000
MOST_PARAMETERS = 10_000_000
MOST_JOBS = 1024


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are one line."""

    def error(self, message: str) -> NoReturn:
        """Raises the complaint.

        Raises:
            BadInput: Always.
        """

        if message.startswith("argument "):
            key, _, fault = message.removeprefix("argument ").partition(": ")
            raise BadInput(fault if ";" in fault else f"{fault}; see {self.prog} --help", key=key)
        raise BadInput(f"{message}; see {self.prog} --help")


def parser() -> Parser:
    """Makes the parser of the whole command line."""

    top = Parser(
        prog="ebmlab",
        description="A desktop lab for energy-based models. Without a command it opens the window.",
        epilog="`ebmlab COMMAND --help` says more. RECIPE is a file, a gallery recipe, a link, or - to read one.",
        allow_abbrev=False,
    )
    top.add_argument("--version", action="version", version=f"ebmlab {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    for name, text in COMMANDS.items():
        command = commands.add_parser(name, help=text, description=text[0].upper() + text[1:] + ".", allow_abbrev=False)
        _ARGUMENTS[name](command)
    return top


def whole(low: int, high: int) -> Callable[[str], int]:
    """Returns what reads a whole number within bounds."""

    def read(text: str) -> int:
        if re.fullmatch(r"[+-]?\d{1,18}", text) and low <= int(text) <= high:
            return int(text)
        raise argparse.ArgumentTypeError(f"{text[:40]!r} will not do; give a whole number from {low} to {high}")

    return read


def real(low: float, high: float) -> Callable[[str], float]:
    """Returns what reads a number within bounds."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            value = high + 1
        if low <= value <= high:
            return value
        raise argparse.ArgumentTypeError(f"{text[:40]!r} will not do; give a number from {low:g} to {high:g}")

    return read


def seconds(text: str) -> float:
    """Reads a time in seconds."""

    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if 0 < value <= 86400:
        return value
    raise argparse.ArgumentTypeError(f"{text[:40]!r} will not do; give seconds, more than 0 and up to 86400")


def _gui(p: Parser) -> None:
    p.add_argument("file", nargs="?", metavar="FILE", help="a recipe, points (CSV, NPY) or a picture")
    p.add_argument("--for", dest="seconds", type=seconds, metavar="S", help="train and show for S seconds, then leave")
    p.add_argument("--screenshot", metavar="PNG", help="save a picture of the window before leaving")
    p.add_argument("--stats", metavar="JSON", help="save times and speeds before leaving")
    _device(p)


def _list(p: Parser) -> None:
    p.add_argument("family", nargs="?", metavar="FAMILY", help="target, energy, normalised, estimator, ...; or recipes")
    _json(p)


def _describe(p: Parser) -> None:
    p.add_argument("kind", metavar="KIND", help="such as pcd; or FAMILY/KIND, such as target/formula")


def _train(p: Parser) -> None:
    p.add_argument("recipe", nargs="?", metavar="RECIPE", help="the default recipe, if left out")
    p.add_argument("-o", "--out", required=True, metavar="RUN", help="where to save: a folder or a .ebmlab file")
    p.add_argument("--steps", type=whole(0, MOST_STEPS), metavar="N", help="training steps (2000, or the exhibit's)")
    p.add_argument("--seed", type=whole(0, 2**31 - 1), metavar="S", help="the seed of every random number")
    p.add_argument("--picture", metavar="PNG", help="also draw target, energy, model and difference")
    _recipe(p)


def _claim(p: Parser) -> None:
    p.add_argument("exhibit", metavar="NAME", help="an exhibit of the gallery; see `ebmlab list recipes`")
    _device(p)
    _json(p)


def _evaluate(p: Parser) -> None:
    _run(p)
    _recipe(p)


def _replay(p: Parser) -> None:
    p.add_argument("run", metavar="RUN", help="a saved run: a folder or a .ebmlab file")
    p.add_argument("--verify", action="store_true", help="compare all that was kept, not only the last weights")
    _device(p)
    _json(p)


def _log_z(p: Parser) -> None:
    _run(p)
    p.add_argument("--method", action="append", metavar="KIND", help="instead of the recipe's; may be repeated")
    _recipe(p)


def _dimension(p: Parser) -> None:
    p.add_argument("--problem", default="two-modes", metavar="KIND", help="an energy of known log Z (%(default)s)")
    p.add_argument("--method", action="append", metavar="KIND", help="instead of all; may be repeated")
    p.add_argument("--dims", default="1,2,4,8,16,32,64", metavar="D,D,...", help="the dimensions (%(default)s)")
    p.add_argument("--budget", type=whole(1000, 10**8), default=100_000, metavar="N", help="energies (%(default)s)")
    p.add_argument("--seed", type=whole(0, 2**31 - 1), default=0, metavar="S", help="the seed of every random number")
    help = "amend the problem: barrier=5; may be repeated"
    p.add_argument("--set", dest="settings", action="append", default=[], metavar="PATH=VALUE", help=help)
    p.add_argument("--picture", metavar="PNG", help="also draw error and cost against the dimension")
    _json(p)


def _sample(p: Parser) -> None:
    _run(p)
    p.add_argument("-n", type=whole(1, MOST_POINTS), required=True, metavar="N", help="how many points, one per chain")
    p.add_argument("-o", "--out", required=True, metavar="FILE", help="a .npy or .csv file; shape (N, 2)")
    p.add_argument("--sampler", metavar="KIND", help="instead of the recipe's")
    p.add_argument("--steps", type=whole(1, MOST_STEPS), metavar="K", help="transitions (1000, or 1 of the exact one)")
    _recipe(p)


def _sweep(p: Parser) -> None:
    p.add_argument("sweep", metavar="SWEEP", help="a file that says what varies, or the name of an example")
    p.add_argument("-o", "--out", metavar="DIR", help="the folder of the results; what has ended there is not redone")
    at_work = p.add_mutually_exclusive_group()
    at_work.add_argument("--jobs", type=whole(1, MOST_JOBS), metavar="N", help="processes (one for each core)")
    at_work.add_argument("--executor", metavar="dask://HOST:PORT", help="a Dask cluster does the work")
    p.add_argument("--dry-run", action="store_true", help="check and list the runs, and train none")
    p.add_argument("--device", default="cpu", metavar="DEVICE", help="auto, cpu, cuda or mps (%(default)s)")
    _json(p)


def _render(p: Parser) -> None:
    p.add_argument("run", metavar="RUN", help="a saved run; a picture may also be of a recipe")
    help = "film: .mp4 .webm .gif .webp .apng, a folder or %%05d.png; picture: .png .svg .pdf; its numbers: .csv"
    p.add_argument("-o", "--out", required=True, metavar="FILE", help=help)
    p.add_argument("--from", dest="first", type=whole(0, MOST_STEPS), metavar="STEP", help="where the film begins")
    p.add_argument("--to", dest="last", type=whole(0, MOST_STEPS), metavar="STEP", help="where it ends")
    p.add_argument("--at", type=whole(0, MOST_STEPS), metavar="STEP", help="the step of a picture (the last)")
    p.add_argument("--seconds", type=seconds, default=10.0, metavar="S", help="how long the film lasts (%(default)s)")
    p.add_argument("--fps", type=real(1, 60), default=30.0, metavar="N", help="pictures a second (%(default)s)")
    help = "WIDTHxHEIGHT, 480p, 720p, 1080p, 1440p or 4k (%(default)s)"
    p.add_argument("--size", default="720p", metavar="SIZE", help=help)
    help = "panes and charts: | between columns, a comma between rows; energy,model|log-z (%(default)s)"
    p.add_argument("--layout", default="landscape+log-z", metavar="TEXT", help=help)
    p.add_argument("--theme", choices=("dark", "light"), default="dark", help="the colours (%(default)s)")
    p.add_argument("--scale", type=real(0.5, 4), default=1.0, metavar="X", help="how large the text is (%(default)s)")
    p.add_argument("--caption", default="", metavar="TEXT", help="a line of text on top")
    p.add_argument("--formula", action="store_true", help="the estimator's equation too")
    p.add_argument("--axes", action="store_true", help="axes with numbers around the panes")
    help = "degrees a second by which the camera of surfaces turns (%(default)s)"
    p.add_argument("--orbit", type=real(-360, 360), default=0.0, metavar="DEG", help=help)
    _device(p)
    _json(p)


def _export(p: Parser) -> None:
    _run(p)
    help = "python, safetensors, onnx, onnx-score, pt2, pt2-score, npz or csv-particles, -landscape, -trace"
    p.add_argument("--to", required=True, metavar="FORMAT", help=help)
    p.add_argument(
        "-o", "--out", required=True, metavar="FILE", help="the file; it is read again before it is named so"
    )
    _recipe(p)


def _import(p: Parser) -> None:
    p.add_argument("file", metavar="FILE", help="a .safetensors file with a recipe in it")
    p.add_argument("-o", "--out", required=True, metavar="RUN", help="where to save: a folder or a .ebmlab file")
    _json(p)


def _share(p: Parser) -> None:
    p.add_argument("recipe", nargs="?", metavar="RECIPE", help="a saved run will do; the default recipe, if left out")
    help = "link, python, command or recipe (%(default)s)"
    choices = ("link", "python", "command", "recipe")
    p.add_argument("--as", dest="form", choices=choices, default="link", metavar="FORM", help=help)
    _recipe(p)


def _bench(p: Parser) -> None:
    _json(p)


def _doctor(p: Parser) -> None:
    _json(p)


def _run(p: Parser) -> None:
    p.add_argument("run", metavar="RUN-or-RECIPE", help="a saved run, or a recipe: then the weights are untrained")


def _recipe(p: Parser) -> None:
    help = "amend the recipe: estimator.steps=5; may be repeated"
    p.add_argument("--set", dest="settings", action="append", default=[], metavar="PATH=VALUE", help=help)
    help = "set the energy's size so that it has about N parameters"
    p.add_argument("--match", type=whole(1, MOST_PARAMETERS), metavar="N", help=help)
    _device(p)
    _json(p)


def _device(p: Parser) -> None:
    p.add_argument("--device", default="auto", metavar="DEVICE", help="auto, cpu, cuda or mps (%(default)s)")


def _json(p: Parser) -> None:
    p.add_argument("--json", action="store_true", help="print one JSON object and nothing else")


_ARGUMENTS: dict[str, Callable[[Parser], None]] = {
    "gui": _gui,
    "list": _list,
    "describe": _describe,
    "train": _train,
    "replay": _replay,
    "claim": _claim,
    "evaluate": _evaluate,
    "log-z": _log_z,
    "dimension": _dimension,
    "sample": _sample,
    "sweep": _sweep,
    "render": _render,
    "export": _export,
    "import": _import,
    "share": _share,
    "bench": _bench,
    "doctor": _doctor,
}
