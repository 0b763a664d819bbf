"""An ONNX file: the energy for the runtimes of other languages and machines."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor
from torch.export import ExportedProgram

from ebmlab.engine.types import Work
from ebmlab.record.export.base import Check, Source
from ebmlab.record.export.checks import Values, check
from ebmlab.record.export.graph import MANY, energy_program, score_program
from ebmlab.record.export.quiet import quiet
from ebmlab.spec import BadInput

NEEDS = ("onnx", "onnxscript", "onnxruntime")


def silu_backward(grad: Tensor, a: Tensor) -> Tensor:
    """Returns the slope of the SiLU times a gradient; ONNX has no operation for it."""

    s = torch.sigmoid(a)
    return grad * (s * (1 + a * (1 - s)))


def hypot(a: Tensor, b: Tensor) -> Tensor:
    """Returns the length of (a, b), not both 0, without overflow; ONNX has no operation for it."""

    long = torch.maximum(a.abs(), b.abs())
    return long * torch.sqrt((a / long).square() + (b / long).square())


PLAIN = {torch.ops.aten.silu_backward.default: silu_backward, torch.ops.aten.hypot.default: hypot}


def write_energy(source: Source, path: Path) -> Work[Check]:
    """Writes a model with the input x, shape (n, 2), and the output energy, shape (n)."""

    yield 0.1
    program = energy_program(source.graph)
    return (yield from _write(program, ["energy"], source, path))


def write_score(source: Source, path: Path) -> Work[Check]:
    """Writes a model with the input x, shape (n, 2), and the outputs energy, shape (n), and score, shape (n, 2)."""

    yield 0.1
    program = score_program(source.graph, PLAIN)
    return (yield from _write(program, ["energy", "score"], source, path))


def _write(program: ExportedProgram, outputs: list[str], source: Source, path: Path) -> Work[Check]:
    import onnxruntime

    yield 0.3
    with quiet():
        plain = program.run_decompositions(PLAIN)
        yield 0.4
        found = _translated(plain, outputs)
    for name, fact in source.facts.items():
        found.model.metadata_props[name] = fact
    path.write_bytes(found.model_proto.SerializeToString())
    yield 0.8
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])

    def run(x: Tensor) -> Values:
        return tuple(map(torch.from_numpy, session.run(outputs, {"x": x.numpy()})))

    return check("onnxruntime", source.net, source.session.recipe.window, run)


def _translated(program: ExportedProgram, outputs: list[str]) -> torch.onnx.ONNXProgram:
    try:
        found = torch.onnx.export(
            program, dynamo=True, verbose=False, input_names=["x"], output_names=outputs, dynamic_shapes=MANY
        )
    except torch.onnx.errors.OnnxExporterError as fault:
        reason = str(fault.__cause__ or fault).partition("\n")[0][:200]
        raise BadInput(f"ONNX has no word for a part of this energy ({reason}); choose the Python file") from None
    if found is None:
        raise RuntimeError("torch gave no ONNX program")
    return found
