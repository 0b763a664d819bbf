"""Saved runs: what is saved comes back, and what is not one is refused in one sentence."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile

import pytest
import torch
from safetensors.torch import save

from ebmlab.engine.energies import MLP
from ebmlab.engine.targets import Gaussian
from ebmlab.session import checkpoint
from ebmlab.session.checkpoint import MANIFEST, RECIPE, WEIGHTS, load_run, open_run, save_run
from ebmlab.session.recipe import Recipe
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


def rewritten(path, name, content):
    """Replaces a member, mending the digest, so that only the content is at fault."""

    members = {member: read(path, member) for member in (RECIPE, WEIGHTS, MANIFEST)}
    members[name] = content
    if name != MANIFEST:
        manifest = json.loads(members[MANIFEST])
        members[MANIFEST] = json.dumps({**manifest, "digest": checkpoint._digest(members)}).encode()
    if path.is_dir():
        for member, text in members.items():
            (path / member).write_bytes(text)
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for member, text in members.items():
                archive.writestr(member, text)
    return path


def read(path, name):
    return (path / name).read_bytes() if path.is_dir() else zipfile.ZipFile(path).read(name)


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


def test_that_nothing_half_is_left_beside_a_saved_run(saved):
    assert [path for path in saved.parent.rglob("*") if path.suffix == ".part"] == []


def test_that_a_run_without_weights_is_the_untrained_recipe():
    fresh = open_run(checkpoint.Run(recipe=SMALL), "cpu")
    assert fresh.count == 0
    assert all(a.equal(b) for a, b in zip(fresh.net.parameters(), Session(SMALL, "cpu").net.parameters(), strict=True))


@pytest.mark.parametrize(
    ("change", "key"),
    [
        ({"format": "other"}, "format"),
        ({"version": 2}, "version"),
        ({"version": "1"}, "version"),
        ({"step": -1}, "step"),
        ({"step": True}, "step"),
        ({"digest": "0"}, "digest"),
        ({"evaluation": []}, "evaluation"),
    ],
    ids=str,
)
def test_that_a_manifest_that_will_not_do_is_refused_by_its_key(saved, change, key):
    manifest = json.loads(read(saved, MANIFEST))
    assert f": {key}: " in refused(rewritten(saved, MANIFEST, json.dumps({**manifest, **change}).encode()))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff", b"[" * 100_000], ids=repr)
def test_that_a_manifest_that_is_none_is_refused(saved, content):
    refused(rewritten(saved, MANIFEST, content))


@pytest.mark.parametrize(
    "content", [b"", b"junk", b"\xff" * 100, b"\x80", b'{"batch": 0}', b'{"version": 9}'], ids=repr
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
        refused(rewritten(saved, WEIGHTS, weights_with(session, **changes)), open_too=True)


def test_that_weights_cut_short_are_refused(saved):
    whole = read(saved, WEIGHTS)
    for n in (0, 4, 8, 40, len(whole) - 1):
        refused(rewritten(saved, WEIGHTS, whole[:n]))


def test_that_pickles_are_never_read(saved):
    buffer = io.BytesIO()
    torch.save({"w": torch.zeros(1)}, buffer)
    assert "broken" in refused(rewritten(saved, WEIGHTS, buffer.getvalue()))


def test_that_halves_of_two_runs_are_not_taken_for_one(session, tmp_path):
    save_run(session, tmp_path / "run")
    session.step()
    (tmp_path / "run" / WEIGHTS).write_bytes(weights_with(session))
    assert "not of one run" in refused(tmp_path / "run")


@pytest.mark.parametrize("name", [RECIPE, WEIGHTS, MANIFEST])
def test_that_a_run_with_a_member_missing_is_refused(name, session, tmp_path):
    save_run(session, tmp_path / "run")
    (tmp_path / "run" / name).unlink()
    assert name in refused(tmp_path / "run")


def test_that_a_member_too_large_is_refused_without_being_read_whole(saved, monkeypatch):
    monkeypatch.setitem(checkpoint.MOST_BYTES, WEIGHTS, 10)
    assert WEIGHTS in refused(saved)


@pytest.mark.parametrize("name", ["../run.json", "/etc/x", "a/../../x", "C:x", "a\\..\\x"])
def test_that_paths_that_lead_out_of_the_file_are_refused(name, session, tmp_path):
    path = tmp_path / "run.ebmlab"
    save_run(session, path)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(name, "x")
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
    for n in range(0, len(whole), 97):
        path.write_bytes(whole[:n])
        refused(path)


def test_that_a_file_with_bytes_turned_is_refused_or_read_the_same(session, tmp_path, rng):
    path = tmp_path / "run.ebmlab"
    save_run(session, path)
    whole = path.read_bytes()
    for place in torch.randint(len(whole), (100,), generator=rng).tolist():
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :])
        with contextlib.suppress(BadInput):
            assert load_run(path).recipe == session.recipe


def test_that_a_missing_run_is_refused(tmp_path):
    refused(tmp_path / "none.ebmlab")
