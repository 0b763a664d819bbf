"""A program of torch.export: the energy for whoever has torch, without the lab."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram

from ebmlab.engine.types import Work
from ebmlab.record.export.base import Check, Source
from ebmlab.record.export.checks import Values, check
from ebmlab.record.export.graph import energy_program, score_program
from ebmlab.record.export.quiet import quiet


def write_energy(source: Source, path: Path) -> Work[Check]:
    """Writes the energy as a program that maps points, with shape (n, 2), to energies, with shape (n)."""

    yield 0.1
    program = energy_program(source.graph)
    return (yield from _write(program, source, path))


def write_score(source: Source, path: Path) -> Work[Check]:
    """Writes energy and score as a program that maps points to energies and scores, with shapes (n) and (n, 2)."""

    yield 0.1
    program = score_program(source.graph)
    return (yield from _write(program, source, path))


def _write(program: ExportedProgram, source: Source, path: Path) -> Work[Check]:
    yield 0.5
    with quiet(), path.open("wb") as file:
        torch.export.save(program, file, extra_files=source.facts)
    yield 0.8
    with quiet(), path.open("rb") as written:
        again = torch.export.load(written).module()

    def run(x: Tensor) -> Values:
        found = again(x)
        return found if isinstance(found, tuple) else (found,)

    return check("torch.export", source.net, source.session.recipe.window, run)
