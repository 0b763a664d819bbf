"""What a fresh checkout rests on: the pins, the set-up, the assets, and that no file says whose machine this was."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import pytest

import ebmlab
from ebmlab import assets
from ebmlab.cli.system import OFFSCREEN, SCREEN

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PINS = dict(
    line.split("==") for line in (ROOT / "packaging" / "constraints.txt").read_text().splitlines() if line[:1].isalpha()
)


def plain(requirement):
    return re.split(r"[<>=!~\[; ]", requirement)[0].lower().replace("_", "-")


@pytest.fixture
def bootstrap():
    spec = importlib.util.spec_from_file_location("bootstrap", ROOT / "packaging" / "bootstrap.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_that_every_direct_requirement_is_pinned():
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = {plain(r) for r in PROJECT["project"]["dependencies"] + extras["dev"]} - {"ebmlab"}
    wanted |= {plain(r) for name in ("video", "onnx", "cluster") for r in extras[name]}  # which dev takes in
    assert wanted <= set(PINS)


def test_that_the_pins_keep_clear_of_what_is_known_to_break():
    assert PINS["torch"] == "2.13.0", "an exact version finds a CPU build"
    assert PINS["pyside6-essentials"] == PINS["shiboken6"] == "6.9.3"


def test_that_the_version_is_said_once_and_the_same():
    assert PROJECT["project"]["version"] == ebmlab.__version__
    assert f"[{ebmlab.__version__}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("version", [(3, 8), (3, 10), (3, 14), (2, 7)])
def test_that_a_python_that_will_not_do_is_refused_with_the_mend(bootstrap, version):
    assert "PYTHON=python3.12" in bootstrap.version_fault(version)


@pytest.mark.parametrize("version", [(3, 11), (3, 12), (3, 13)])
def test_that_three_versions_of_python_will_do(bootstrap, version):
    assert bootstrap.version_fault(version) == ""
    assert PROJECT["project"]["requires-python"] == ">=3.11,<3.14"


def test_that_the_set_up_is_done_once(bootstrap, tmp_path, monkeypatch):
    python = tmp_path / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    monkeypatch.setattr(bootstrap, "STAMP", tmp_path / "stamp")
    make, install = bootstrap.plan()
    assert "-m venv" in make
    assert "constraints.txt" in install
    python.parent.mkdir()
    python.touch()
    (tmp_path / "stamp").write_text(bootstrap.fingerprint())
    assert bootstrap.plan() == []
    (tmp_path / "stamp").write_text("older pins")
    assert bootstrap.plan() != []


def test_that_the_set_up_needs_the_standard_library_only():
    command = [sys.executable, "-S", "-E", str(ROOT / "packaging" / "bootstrap.py"), "--dry-run"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_that_a_word_the_set_up_does_not_know_is_one_line(bootstrap, capsys):
    assert bootstrap.main(["fly"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_that_the_bare_machine_gets_every_library_of_qt():
    text = (ROOT / ".ci" / "run").read_text()
    assert all(package in text for package in (*OFFSCREEN.values(), *SCREEN.values()))
    assert "make lint" in text
    assert "make test" in text


def test_that_the_assets_are_the_checkout_s_own():
    assert assets.assets() == ROOT / "assets"
    assert all(path.suffix == ".json" and path.stem == name for name, path in assets.gallery().items())


def test_that_an_installed_program_looks_in_its_environment(monkeypatch, tmp_path):
    monkeypatch.setattr(assets, "__file__", str(tmp_path / "site-packages" / "ebmlab" / "assets.py"))
    assert assets.assets.__wrapped__() == Path(sysconfig.get_path("data")) / "share" / "ebmlab"


def test_that_no_file_names_a_registry_or_a_machine():
    for path in [*ROOT.glob("*.md"), ROOT / "Makefile", ROOT / "pyproject.toml", *(ROOT / "packaging").glob("*.*")]:
        assert not re.search(r"index-url|/root/|/home/\w|file://", path.read_text(encoding="utf-8")), path.name
