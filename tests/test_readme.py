"""What the README says can be done."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ebmlab.cli.arguments import COMMANDS, parser
from ebmlab.engine.targets import TARGETS
from ebmlab.engine.window import Lattice
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session
from ebmlab.spec import decode
from ebmlab.spec.catalogue import describe

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
PYTHON = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
COMPONENT = next(code for code in PYTHON if ".register(" in code)
USE = next(code for code in PYTHON if "import ebmlab\n" in code)


@pytest.fixture
def laplace(tmp_path):
    path = tmp_path / "laplace.py"
    path.write_text(COMPONENT, encoding="utf-8")
    spec = importlib.util.spec_from_file_location("laplace", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["laplace"] = module
    spec.loader.exec_module(module)
    yield module.Laplace
    del sys.modules["laplace"], TARGETS._kinds["laplace"]


def test_that_the_component_of_the_guide_is_a_normalised_density(laplace, rng):
    window = (-15.0, 15.0, -15.0, 15.0)
    density = laplace(scale=0.8).build(None, window)
    lattice = Lattice(window, 1001, 1001)
    mass = density.log_density(lattice.points(torch.float64)).exp().sum() * lattice.cell
    assert mass.item() == pytest.approx(1, abs=2e-3)
    x = density.sample(100_000, rng)
    torch.testing.assert_close(x.abs().mean(0), torch.full((2,), 0.8), rtol=0.02, atol=0)


def test_that_the_component_of_the_guide_is_known_everywhere(laplace):
    recipe = decode({"target": {"kind": "laplace", "scale": 0.5}, "batch": 8}, Recipe())
    session = Session(recipe, "cpu")
    session.step()
    assert session.count == 1
    assert Recipe.loads(recipe.dumps()) == recipe
    assert r"\frac{1}{4 b^2}" in describe(laplace)


def test_that_the_guide_is_short():
    assert len(COMPONENT.splitlines()) <= 42
    assert TEXT.index("## Development") - TEXT.index("## Add a component") < 4000


@pytest.mark.slow
def test_that_the_example_of_use_runs(tmp_path):
    done = subprocess.run([sys.executable, "-c", USE], cwd=tmp_path, capture_output=True, text=True, check=True)
    kl, energy = done.stdout.splitlines()
    assert float(kl) > 0
    assert energy.startswith("tensor([")
    assert (tmp_path / "recipe.json").exists()


def test_that_every_command_of_the_readme_can_be_typed():
    typed = [line.split() for line in TEXT.splitlines() if line.startswith("ebmlab ") and "[" not in line]
    assert typed
    for _, *words in typed:
        parser().parse_args(words)


def test_that_every_command_is_in_the_table():
    assert all(f"`ebmlab {command}" in TEXT for command in COMMANDS)


def test_that_every_target_of_make_is_in_the_table():
    targets = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert targets
    assert [name for name in targets if f"`make {name}`" not in TEXT and name != "setup"] == []
