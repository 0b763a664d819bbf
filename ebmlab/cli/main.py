"""The command line: reads what was typed, runs the command, turns every fault into one line and an exit code."""

from __future__ import annotations

import importlib
import keyword
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches

from ebmlab.cli.arguments import COMMANDS, parser
from ebmlab.spec import BadInput

DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Failed(RuntimeError):
    """The input was good, but the run failed."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit code: 0 done, 1 the run failed, 2 bad input, 130 interrupted."""

    try:
        return _run(list(sys.argv[1:] if argv is None else argv))
    except BadInput as fault:
        return _complain(str(fault), BAD_INPUT)
    except Failed as failure:
        return _complain(str(failure), FAILED)
    except RecursionError:
        return _complain("the input is nested too deeply; give a recipe", BAD_INPUT)
    except BrokenPipeError:
        # Whoever read the output has gone; keep the interpreter from complaining when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except OSError as fault:
        place = fault.filename or "this machine"
        return _complain(f"{place}: {(fault.strerror or str(fault)).lower()}; give another path", BAD_INPUT)
    except KeyboardInterrupt:
        return _complain("interrupted; nothing was saved", INTERRUPTED)


def _run(argv: list[str]) -> int:
    args = parser().parse_args(_with_command(argv))
    name = args.command.replace("-", "_") + "_" * keyword.iskeyword(args.command)
    module = importlib.import_module(f"ebmlab.cli.{name}")
    return int(module.run(args))


def _with_command(argv: list[str]) -> list[str]:
    """Returns the arguments with the command that opens the window put first, where none is named."""

    first = argv[0] if argv else ""
    if first in COMMANDS or first in ("-h", "--help", "--version"):
        return argv
    if first and not first.startswith("-") and not os.path.exists(first) and not os.path.splitext(first)[1]:
        near = get_close_matches(first, COMMANDS, n=1) or ["--help"]
        raise BadInput(f"there is no such command or file; did you mean ebmlab {near[0]}?", source=first[:80])
    return ["gui", *argv]


def _complain(message: str, code: int) -> int:
    print("ebmlab: " + " ".join(message.split()), file=sys.stderr)
    return code
