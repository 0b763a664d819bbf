"""Saved runs: what is saved comes back, and what is not one is refused in one sentence."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile

import pytest
import torch
from boxed import MANIFEST, names, put_together, read, rewritten, taken_apart
from safetensors.torch import save

from ebmlab.engine.energies import MLP, Autoregressive, Flow
from ebmlab.engine.targets import Gaussian
from ebmlab.session import archive
from ebmlab.session.archive import RECIPE, WEIGHTS, load_run
from ebmlab.session.checkpoint import open_run, save_run
from ebmlab.session.recipe import Recipe
from ebmlab.session.run import Run
from ebmlab.session.session import Session
from ebmlab.spec import BadInput

SMALL = Recipe(target=Gaussian(), energy=MLP(width=4, depth=1), batch=8)


@pytest.fixture
def session():
    session = Session(SMALL, "cpu")
    session.step()
    return session


@pytest.fixture(params=["run", "run.ebmlab"])
def saved(request, session, tmp_path):
    path = tmp_path / request.param
    save_run(session, path, {"step": 1, "kl": 0.5})
    return path


def refused(path, open_too=False):
    with pytest.raises(BadInput) as caught:
        open_run(load_run(path), "cpu") if open_too else load_run(path)
    sentence = str(caught.value)
    assert "\n" not in sentence
    assert ";" in sentence or "did you mean" in sentence, "the sentence does not say what would be right"
    assert path.name in sentence
    return sentence


def test_that_a_saved_run_comes_back_as_it_was(saved, session):
    run = load_run(saved)
    again = open_run(run, "cpu")
    assert run.recipe == session.recipe
    assert run.evaluation == {"step": 1, "kl": 0.5}
    assert again.count == 1
    x = torch.randn(5, 2, generator=torch.Generator().manual_seed(1))
    assert again.energy(x).equal(session.energy(x))


def test_that_training_goes_on_from_a_saved_run_as_if_it_had_not_been_left(saved, session):
    again = open_run(load_run(saved), "cpu")
    for _ in range(20):
        again.step()
        session.step()
    assert again.capture().dumps() == session.capture().dumps()
    assert again.log == session.log
    assert (again.trace.view().rows == session.trace.view().rows)[:, :2].all()


def test_that_nothing_half_is_left_beside_a_saved_run(saved):
    assert [path for path in saved.parent.rglob("*") if path.suffix == ".part"] == []


def test_that_a_run_without_weights_is_the_untrained_recipe():
    fresh = open_run(Run(recipe=SMALL), "cpu")
    assert fresh.count == 0
    assert all(a.equal(b) for a, b in zip(fresh.net.parameters(), Session(SMALL, "cpu").net.parameters(), strict=True))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"format": "other"}, "format"),
        ({"version": 3}, "version"),
        ({"version": "1"}, "version"),
        ({"version": 0}, "version"),
        ({"version": 10**400}, "run.json"),
        ({"step": -1}, "step"),
        ({"step": True}, "step"),
        ({"step": 2**60}, "step"),
        ({"members": []}, "members"),
        ({"members": {RECIPE: 1}}, "members"),
        ({"members": {RECIPE: "0"}}, "members"),
        ({"evaluation": []}, "evaluation"),
        ({"seconds": -1}, "seconds"),
        ({"seconds": True}, "seconds"),
        ({"versions": {"torch": 2}}, "versions"),
        ({"seed": None}, "seed"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_that_a_manifest_that_will_not_do_is_refused_by_its_key(saved, change, key):
    sys_limit = 10**400 in change.values()
    text = json.dumps({**json.loads(read(saved, MANIFEST)), **({} if sys_limit else change)})
    if sys_limit:
        text = text.replace('"version": 2', '"version": 1' + "0" * 5000)
    assert f": {key}: " in refused(rewritten(saved, MANIFEST, text.encode()))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b"[],[" * 600_000], ids=lambda c: c[:9])
def test_that_a_manifest_that_is_none_is_refused(saved, content):
    refused(rewritten(saved, MANIFEST, content))


@pytest.mark.parametrize(
    "content",
    [b"", b"junk", b"\xff" * 100, b"\x80", b'{"batch": 0}', b'{"version": 9}', b"[" * 100_000, b"[],[" * 600_000],
    ids=lambda c: c[:15],
)
def test_that_a_recipe_in_a_run_is_checked_as_any_other(saved, content):
    refused(rewritten(saved, RECIPE, content))


def weights_with(session, **changes):
    return save({**{k: v.clone() for k, v in session.net.state_dict().items()}, **changes})


def test_that_weights_that_are_not_finite_are_refused(saved, session):
    name, w = next(iter(session.net.state_dict().items()))
    for value in (torch.nan, torch.inf, -torch.inf):
        bad = w.clone()
        bad.view(-1)[0] = value
        assert "not finite" in refused(rewritten(saved, WEIGHTS, weights_with(session, **{name: bad})))


def test_that_weights_of_another_shape_type_or_name_are_refused(saved, session):
    name, w = next(iter(session.net.state_dict().items()))
    for changes in ({name: torch.zeros(1)}, {name: w.double()}, {"other": torch.zeros(2)}):
        assert "weights" in refused(rewritten(saved, WEIGHTS, weights_with(session, **changes)))


@pytest.mark.parametrize(
    "energy",
    [MLP(width=1024, depth=8), Flow(transforms=16, width=1024, depth=8), Autoregressive(width=1024, depth=8)],
    ids=lambda energy: energy.kind,
)
def test_that_a_recipe_of_a_huge_network_is_refused_before_it_is_built(saved, energy):
    recipe = Recipe(target=Gaussian(), energy=energy, batch=8)
    assert "weights" in refused(rewritten(saved, RECIPE, recipe.dumps().encode()))


def test_that_ten_thousand_layers_are_refused(saved):
    text = SMALL.dumps().replace('"depth": 1', '"depth": 10000')
    assert "depth" in refused(rewritten(saved, RECIPE, text.encode()))


def test_that_weights_cut_short_are_refused(saved):
    whole = read(saved, WEIGHTS)
    for n in (0, 4, 8, 40, len(whole) - 1):
        refused(rewritten(saved, WEIGHTS, whole[:n]))


def test_that_a_heading_of_weights_that_promises_much_is_refused(saved):
    whole = read(saved, WEIGHTS)
    for length in (2**20, 2**40, 2**63, 2**64 - 1):
        refused(rewritten(saved, WEIGHTS, length.to_bytes(8, "little") + whole[8:]))
    heading = json.dumps({"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}).encode()
    refused(rewritten(saved, WEIGHTS, len(heading).to_bytes(8, "little") + heading))


def test_that_pickles_are_never_read(saved):
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(1)}, buffer)
    assert "broken" in refused(rewritten(saved, WEIGHTS, buffer.getvalue()))


def test_that_halves_of_two_runs_are_not_taken_for_one(session, tmp_path):
    save_run(session, tmp_path / "run")
    session.step()
    (tmp_path / "run" / WEIGHTS).write_bytes(weights_with(session))
    assert "not of this run" in refused(tmp_path / "run")


@pytest.mark.parametrize("name", [RECIPE, WEIGHTS, MANIFEST, "state.safetensors", "log.json"])
def test_that_a_run_with_a_member_missing_is_refused(name, saved):
    members = taken_apart(saved)
    del members[name]
    if saved.is_dir():
        (saved / name).unlink()
    else:
        put_together(saved, members)
    assert name in refused(saved)


def test_that_a_member_too_large_is_refused_without_being_read_whole(saved, monkeypatch):
    monkeypatch.setattr(archive, "MOST_TENSORS", 10)
    assert WEIGHTS in refused(saved)


@pytest.mark.parametrize("name", ["../run.json", "/etc/x", "a/../../x", "C:x", "a\\..\\x"])
def test_that_paths_that_lead_out_of_the_file_are_refused(name, session, tmp_path):
    path = tmp_path / "run.ebmlab"
    save_run(session, path)
    with zipfile.ZipFile(path, "a") as zipped:
        zipped.writestr(name, "x")
    assert "leads out" in refused(path)


def test_that_links_out_of_the_folder_are_refused(session, tmp_path):
    save_run(session, tmp_path / "run")
    member = tmp_path / "run" / RECIPE
    member.rename(tmp_path / "elsewhere.json")
    member.symlink_to(tmp_path / "elsewhere.json")
    assert "leads out" in refused(tmp_path / "run")


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + b"\0" * 100, b"PK\x05\x06" + b"\0" * 18])
def test_that_a_file_that_is_no_run_is_refused(content, tmp_path):
    (tmp_path / "x.ebmlab").write_bytes(content)
    refused(tmp_path / "x.ebmlab")


def test_that_a_file_cut_short_anywhere_is_refused(session, tmp_path):
    path = tmp_path / "run.ebmlab"
    save_run(session, path)
    whole = path.read_bytes()
    for n in range(0, len(whole), 331):
        path.write_bytes(whole[:n])
        refused(path)


def test_that_a_file_with_bytes_turned_is_refused_or_read_the_same(session, tmp_path, rng):
    path = tmp_path / "run.ebmlab"
    save_run(session, path)
    whole, state = path.read_bytes(), session.capture().dumps()
    for place in torch.randint(len(whole), (100,), generator=rng).tolist():
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with contextlib.suppress(BadInput):
            run = load_run(path)
            assert run.recipe == session.recipe
            assert run.state.dumps() == state


def test_that_a_missing_run_is_refused(tmp_path):
    refused(tmp_path / "none.ebmlab")


def test_that_a_run_of_this_version_holds_these_members(saved):
    wanted = {RECIPE, WEIGHTS, MANIFEST, "log.json", "state.safetensors", "series.safetensors"}
    assert set(names(saved)) == wanted
