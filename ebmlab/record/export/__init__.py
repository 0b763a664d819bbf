"""The trained energy for other programs. A new format is a file here and an entry below."""

from __future__ import annotations

import os
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path

from ebmlab.engine.types import Work
from ebmlab.record.export import onnx_file, pt2, python_file, tables, weights
from ebmlab.record.export.base import TOLERANCE, Check, Exported, Format, Source
from ebmlab.record.export.weights import load_weights
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.spec import BadInput

__all__ = ["EXPORTS", "TOLERANCE", "Check", "Exported", "Format", "Source", "export", "find_format", "load_weights"]

EXPORTS: Mapping[str, Format] = {
    "python": Format(
        ending=".py",
        title="Python file",
        help="A program that needs torch alone: energy, score, log Z and a sampler, with the weights inside.",
        write=python_file.write_file,
    ),
    "safetensors": Format(
        ending=weights.ENDING,
        title="Weights with their recipe",
        help="The weights, and in the metadata the recipe; `ebmlab import` and the window read it back, bit for bit.",
        write=weights.write_weights,
    ),
    "onnx": Format(
        ending=".onnx",
        title="ONNX, energy",
        help="For the runtimes of other languages and machines: x of shape (n, 2) to the energy of shape (n).",
        write=onnx_file.write_energy,
        needs=onnx_file.NEEDS,
        extra="onnx",
    ),
    "onnx-score": Format(
        ending=".onnx",
        title="ONNX, energy and score",
        help="The same with a second output, the score -grad E of shape (n, 2), as samplers want it.",
        write=onnx_file.write_score,
        needs=onnx_file.NEEDS,
        extra="onnx",
    ),
    "pt2": Format(
        ending=".pt2",
        title="torch.export, energy",
        help="A program that torch.export.load reads, in Python or C++: points to energies.",
        write=pt2.write_energy,
    ),
    "pt2-score": Format(
        ending=".pt2",
        title="torch.export, energy and score",
        help="The same, points to energies and scores.",
        write=pt2.write_score,
    ),
    "npz": Format(
        ending=".npz",
        title="NumPy arrays",
        help="Particles, energy and target on a lattice of 256 by 256, window, log Z and all histories.",
        write=tables.write_arrays,
    ),
    "csv-particles": Format(
        ending=".csv",
        title="Particles as a table",
        help="A row for each particle: x and y.",
        write=tables.write_particles,
    ),
    "csv-landscape": Format(
        ending=".csv",
        title="Landscape as a table",
        help="A row for each point of a lattice of 256 by 256: x, y, energy and the target's log density.",
        write=tables.write_landscape,
    ),
    "csv-trace": Format(
        ending=".csv",
        title="Histories as a table",
        help="A row for each step: what training reported, exact figures and estimates of log Z.",
        write=tables.write_trace,
    ),
}


def export(session: Session, name: str, path: str | os.PathLike[str], run: Run | None = None) -> Work[Exported]:
    """Writes a file for other programs: beside, read again and compared with torch, and only then renamed.

    Arguments:
        session: The energy, its recipe and its step.
        name: One of :data:`EXPORTS`.
        path: The file.
        run: The run that the session was opened from: it has the histories and the particles.

    Raises:
        BadInput: If there is no such format, something that it needs is missing, or the path will not do. That is
            before any work begins.
    """

    wanted, path = find_format(name), Path(path)
    _check_free(path)
    wanted.demand()
    source = Source.of(session, run)
    beside = path.with_name(path.name + ".part")
    try:
        check = yield from wanted.write(source, beside)
        if check is not None and not check.error <= check.limit:
            return Exported(format=name, path=str(path), check=check, fault=_fault(check))
        size = beside.stat().st_size
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    yield 1.0
    return Exported(format=name, path=str(path), size=size, check=check)


def find_format(name: str) -> Format:
    """Returns a format.

    Raises:
        BadInput: If there is none of that name. The message names the nearest.
    """

    if name in EXPORTS:
        return EXPORTS[name]
    near = [n for n in EXPORTS if n.startswith(name)] or get_close_matches(name, EXPORTS, n=2) or list(EXPORTS)
    raise BadInput(f"no format is called {name[:60]!r}; did you mean {' or '.join(near)}?")


def _check_free(path: Path) -> None:
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise BadInput("there is no such folder to save in, or this is one; name a file", source=str(path))


def _fault(check: Check) -> str:
    return f"{check.by} differs from torch by {check.error:.1g}, more than {check.limit:.1g}; nothing was written"
