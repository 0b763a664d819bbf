"""The house stands: who may import whom, how long a file may be, what may never be called."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted((ROOT / "ebmlab").rglob("*.py"))
MOST_LINES = 300
BANNED_CALLS = {"eval", "exec", "compile", "__import__"}
BANNED_MODULES = {"pickle", "marshal", "shelve", "dill"}


def shown(path):
    return str(path.relative_to(ROOT))


every_file = pytest.mark.parametrize("path", FILES, ids=shown)


def loaded_by(module):
    """Returns the names of all modules that importing one loads, in an interpreter of its own."""

    code = f"import {module}, sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in done.stdout.split()}


def test_that_the_import_contracts_hold():
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache"]
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment)
    assert done.returncode == 0, done.stdout


@every_file
def test_that_a_file_can_be_read_in_one_sitting(path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MOST_LINES


@every_file
def test_that_no_text_becomes_code(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in BANNED_CALLS, f"line {node.lineno}"
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [node.module or ""]
        assert not {name.partition(".")[0] for name in names} & BANNED_MODULES, f"line {node.lineno}"


@every_file
def test_that_no_argument_list_is_longer_than_six(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            count = len(node.args.posonlyargs) + len(node.args.args) + len(node.args.kwonlyargs)
            methods = [a.arg for a in node.args.args[:1]]
            assert count - (methods in (["self"], ["cls"])) <= 6, f"{node.name}, line {node.lineno}"


@pytest.mark.parametrize("path", [path for path in FILES if path.parent.name == "paint"], ids=shown)
def test_that_what_is_painted_knows_no_widget(path):
    assert "QtWidgets" not in path.read_text(encoding="utf-8")


def test_that_the_session_loads_no_qt():
    assert not loaded_by("ebmlab.session.runner") & {"PySide6", "shiboken6"}


def test_that_the_specification_loads_no_torch():
    assert not loaded_by("ebmlab.spec") & {"torch", "numpy", "PySide6"}


def test_that_the_package_itself_loads_nothing_heavy():
    assert not loaded_by("ebmlab") & {"torch", "numpy", "PySide6"}


def test_that_importing_the_window_loads_no_torch():
    assert "torch" not in loaded_by("ebmlab.gui.app")
