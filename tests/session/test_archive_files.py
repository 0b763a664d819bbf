"""The files that recipes name go with the session, whatever becomes of them on the disk."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace

import pytest
import torch
from boxed import SMALL, names, read

from ebmlab.engine.targets import Points
from ebmlab.session import enclosed
from ebmlab.session.archive import load_run
from ebmlab.session.checkpoint import open_run, save_run
from ebmlab.session.session import Session
from ebmlab.spec import BadInput


def points_at(path, shift=0.0):
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(f"{shift + i / 10},{i % 3}" for i in range(20)))
    return Points(path=str(path))


def test_that_the_files_a_recipe_names_are_in_the_session_file(tmp_path, place):
    session = Session(replace(SMALL, target=points_at(tmp_path / "here" / "p.csv")), "cpu")
    session.step()
    save_run(session, place)
    shutil.rmtree(tmp_path / "here")
    moved = place.with_name("moved" + place.suffix)
    place.rename(moved)
    again = open_run(load_run(moved), "cpu")
    assert again.recipe.target.path == str(moved / "files" / "p.csv")
    again.step()
    session.step()
    assert again.capture().dumps() == session.capture().dumps()
    save_run(again, moved)
    assert load_run(moved).recipe == again.recipe
    assert Session(load_run(moved).recipe, "cpu").density.sample(3, torch.Generator()).shape == (3, 2)


def test_that_two_files_of_one_name_are_kept_apart_and_one_file_is_kept_once(tmp_path, place):
    first, second = points_at(tmp_path / "a" / "p.csv"), points_at(tmp_path / "b" / "p.csv", 1.0)
    same = points_at(tmp_path / "c" / "q.csv")
    session = Session(replace(SMALL, target=first), "cpu")
    for target in (second, same, first):
        session.edit(replace(SMALL, target=target))
    save_run(session, place)
    assert sorted(name for name in names(place) if name.startswith("files/")) == ["files/p-2.csv", "files/p.csv"]
    log = [recipe.target.path for _, recipe in load_run(place).log]
    assert [path.rpartition("files")[2][1:] for path in log] == ["p.csv", "p-2.csv", "p.csv", "p.csv"]


def test_that_a_file_is_enclosed_as_it_was_read_though_it_has_changed_or_vanished(tmp_path, place):
    target = points_at(tmp_path / "here" / "p.csv")
    before = (tmp_path / "here" / "p.csv").read_bytes()
    session = Session(replace(SMALL, target=target), "cpu")
    points_at(tmp_path / "here" / "p.csv", shift=3.0)
    save_run(session, place)
    assert read(place, "files/p.csv") == before
    shutil.rmtree(tmp_path / "here")
    save_run(session, place)
    assert read(place, "files/p.csv") == before


def test_that_a_file_gone_for_good_is_left_out_and_nothing_else_is_lost(tmp_path, place):
    target = points_at(tmp_path / "here" / "p.csv")
    session = Session(replace(SMALL, target=target), "cpu")
    session.step()
    shutil.rmtree(tmp_path / "here")
    enclosed._FETCHED.clear()
    save_run(session, place)
    run = load_run(place)
    assert run.recipe.target.path == target.path
    assert run.state.dumps() == session.capture().dumps()
    with pytest.raises(BadInput, match=r"p\.csv"):
        open_run(run, "cpu")


@pytest.mark.parametrize("name", ["a b.csv", "ü.csv", "..csv", ".csv", "x" * 200 + ".csv", "con:.csv", "q\\..\\q.csv"])
def test_that_files_of_odd_names_are_enclosed(name, tmp_path, place):
    session = Session(replace(SMALL, target=points_at(tmp_path / name)), "cpu")
    save_run(session, place)
    enclosed._FETCHED.clear()
    assert load_run(place).recipe.target.path != str(tmp_path / name)
    open_run(load_run(place), "cpu").step()


def test_that_a_pipe_is_no_file_and_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "p.csv")
    with pytest.raises(BadInput, match="no file"):
        Session(replace(SMALL, target=Points(path=str(tmp_path / "p.csv"))), "cpu")
