"""A Python file that needs torch alone: architecture, weights, energy, score and a sampler, and a check of itself."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import Tensor

from ebmlab import __version__
from ebmlab.engine.types import Work
from ebmlab.record.export.base import Check, Source
from ebmlab.record.export.checks import Values, check, exact, points
from ebmlab.record.export.spelling import constant, lines
from ebmlab.session.session import Session
from ebmlab.spec import find

FAR = 1e-4
"""How far energies may be from those of the lab on another machine."""
FEW = 4
"""Numbers that a constant may have to be written out."""
SECONDS = 300
"""How long the file may take to run, torch's own start included."""

_FILE = '''"""{title}

    energy(x)    energies, with shape (n), of points x, with shape (n, 2), in float32 on the CPU
    score(x)     -grad_x E, with shape (n, 2)
    sample(n)    n points of the density exp(-E) / Z, by Langevin dynamics

{provenance}
"""

import base64

import torch
from torch.nn import functional as F

WINDOW = {window}  # left, right, bottom, top
LOG_Z = {log_z}
STEP_SIZE = {step_size}


def energy(x):
    """Returns the energies, with shape (n), of points with shape (n, 2)."""

{body}


def score(x):
    """Returns the scores -grad_x E, with shape (n, 2), of points with shape (n, 2)."""

    x = x.detach().requires_grad_()
    (grad,) = torch.autograd.grad(energy(x).sum(), x)
    return -grad
{log_density}

def sample(n, steps=1000, step_size=STEP_SIZE, seed=0):
    """Returns n points, with shape (n, 2): ends of unadjusted Langevin chains that start uniformly in the window.

    They are biased by about the step size. Chains that do not cross between modes need more steps, or other starts.
    """

    rng = torch.Generator().manual_seed(seed)
    left, right, bottom, top = WINDOW
    x = torch.tensor([left, bottom]) + torch.tensor([right - left, top - bottom]) * torch.rand(n, 2, generator=rng)
    for _ in range(steps):
        x = x + step_size * score(x) + (2 * step_size) ** 0.5 * torch.randn(n, 2, generator=rng)
    return x


def stored(shape, dtype, text):
    """Returns the tensor that is stored in a text."""

    return torch.frombuffer(bytearray(base64.b64decode(text)), dtype=dtype).reshape(shape)


{constants}

CHECK_POINTS = {points}
CHECK_ENERGIES = {energies}
RECIPE = {recipe}

if __name__ == "__main__":
    found = energy(CHECK_POINTS)
    for (x, y), value in zip(CHECK_POINTS.tolist(), found.tolist()):
        print(f"E({{x:g}}, {{y:g}}) = {{value:.6g}}")
    worst = ((found - CHECK_ENERGIES).abs() / CHECK_ENERGIES.abs().clamp(min=1)).max().item()
    print(f"largest relative difference from the energies when the file was written: {{worst:.1e}}")
    if not worst < {tolerance}:
        raise SystemExit("these are not the same energies")
'''

_LOG_DENSITY = '''

def log_density(x):
    """Returns log p(x) = -E(x) - log Z, with shape (n)."""

    return -energy(x) - LOG_Z

'''

_RUN = """
import contextlib, runpy, sys, torch
with contextlib.redirect_stdout(sys.stderr):
    names = runpy.run_path(sys.argv[1], run_name="__main__")
x = torch.frombuffer(bytearray(sys.stdin.buffer.read()), dtype=torch.float32).reshape(-1, 2)
for batch in x.split([int(size) for size in sys.argv[2:]]):
    for values in (names["energy"](batch), names["score"](batch)):
        sys.stdout.buffer.write(values.contiguous().numpy().tobytes())
"""


def write_file(source: Source, path: Path) -> Work[Check]:
    """Writes the file and runs it in a Python of its own."""

    yield 0.1
    graph = source.graph
    yield 0.3
    held = dict(graph.named_buffers())
    session, figures = source.session, source.figures
    few = points(session.recipe.window)[0][:: len(points(session.recipe.window)[0]) // 5][:5]
    text = _FILE.format(
        title=_title(session),
        provenance=textwrap.fill(_provenance(session), 118),
        window=session.recipe.window,
        log_z=_log_z(source),
        step_size=_step_size(session),
        body=textwrap.indent("\n".join(lines(graph.graph)), "    "),
        log_density=_LOG_DENSITY if figures.log_z is not None else "",
        constants="\n".join(f"{constant(name)} = {_stored(value)}" for name, value in held.items()),
        points=_literal(few),
        energies=_literal(exact(source.net, few)[0]),
        recipe=repr(json.dumps(json.loads(session.recipe.dumps()), separators=(",", ":"))),
        tolerance=FAR,
    )
    path.write_text(text, encoding="utf-8")
    yield 0.6
    results = _run(path, points(session.recipe.window))
    return check("Python", source.net, session.recipe.window, lambda x: next(results))


def _run(path: Path, batches: Sequence[Tensor]) -> Iterator[Values]:
    """Runs the file as a program, then asks it for energies and scores of batches of points."""

    command = [sys.executable, "-I", "-c", _RUN, str(path), *(str(len(x)) for x in batches)]
    given = torch.cat(list(batches)).numpy().tobytes()
    done = subprocess.run(command, input=given, capture_output=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise RuntimeError(f"the written file does not run: {done.stderr.decode(errors='replace')[-400:]}")
    numbers = torch.frombuffer(bytearray(done.stdout), dtype=torch.float32)
    for part in numbers.split([3 * len(x) for x in batches]):
        n = len(part) // 3
        yield part[:n], part[n:].view(n, 2)


def _title(session: Session) -> str:
    recipe = session.recipe
    way = f"trained {session.count} steps by {recipe.estimator.kind} on {recipe.target.kind}"
    return f"An energy over the plane ({recipe.energy.kind}), {way if session.count else 'untrained'}, in torch alone."


def _provenance(session: Session) -> str:
    return (
        f"Written by ebmlab {__version__} with torch {torch.__version__}. What does not depend on x was computed "
        "beforehand and is among the constants below. RECIPE, at the end, trains it again: save it as recipe.json, "
        f"then `ebmlab train recipe.json -o run --steps {session.count}`."
    )


def _log_z(source: Source) -> str:
    figures = source.figures
    if figures.log_z is None:
        return f"None  # {dict(figures.why).get('log_z', 'it is not known')}"
    return f"{figures.log_z!r}  # exact, to about {figures.log_z_error or 0.0:.1g}"


def _step_size(session: Session) -> float:
    found = find(session.recipe.sampler, "step_size", "sampler")
    return float(found[1]) if found else 0.01


def _stored(value: Tensor) -> str:
    """Returns Python that makes a tensor: its numbers if they are few, else their bytes."""

    value = value.detach().contiguous()
    if value.numel() <= FEW and bool(value.isfinite().all()):
        return _literal(value)
    text = "\n".join(textwrap.wrap(base64.b64encode(value.numpy().tobytes()).decode(), 116))
    return f'stored({tuple(value.shape)}, {value.dtype}, """\n{text}\n""")'


def _literal(value: Tensor) -> str:
    return f"torch.tensor({value.tolist()!r}, dtype={value.dtype})"
