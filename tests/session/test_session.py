from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
import torch

from ebmlab.engine.energies import MLP, VAE
from ebmlab.engine.estimators import ESTIMATORS, Estimator, PersistentContrastiveDivergence
from ebmlab.engine.optimizers import SGD, Adam
from ebmlab.engine.samplers import UnadjustedLangevin
from ebmlab.engine.targets import Gaussian, Ring
from ebmlab.session.recipe import Data, Recipe
from ebmlab.session.session import Diverged, Session
from ebmlab.session.snapshot import Lens
from ebmlab.session.watch import State, Watch
from ebmlab.spec import BadInput

SMALL = Recipe(energy=MLP(width=16), batch=32, estimator=PersistentContrastiveDivergence(steps=3))


def weights(session):
    return [p.detach().clone() for p in session.net.parameters()]


def finish_all(session, steps):
    for _ in range(steps):
        session.step()


def same(a, b):
    return all(x.equal(y) for x, y in zip(weights(a), weights(b), strict=True))


def trained(recipe, steps, device="cpu"):
    session = Session(recipe, device)
    for _ in range(steps):
        session.step()
    return session


def watched(recipe, steps):
    session = Session(recipe, "cpu")
    watch = Watch(session)
    for i in range(steps):
        session.step()
        watch.drift(50)
        watch.study()
        watch.snapshot(Lens(fields=frozenset({"energy", "target", "score"})), 16 + i, State())
    return session


def fitted_by(kind):
    """A small recipe with an estimator, and an energy that it takes."""

    estimator = ESTIMATORS[kind]()
    energy = VAE(width=8, nodes=64) if estimator.refusal(SMALL.energy) else SMALL.energy
    return replace(SMALL, energy=energy, estimator=estimator)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_that_watching_changes_no_bit_of_training(kind):
    recipe = fitted_by(kind)
    assert same(trained(recipe, 6), watched(recipe, 6))


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_that_watching_between_the_stages_of_a_step_changes_no_bit(kind):
    recipe = fitted_by(kind)
    session = Session(recipe, "cpu")
    watch = Watch(session)
    for _ in range(3):
        for _ in session.stages():
            watch.drift(20)
            watch.study()
            watch.snapshot(Lens(fields=frozenset({"energy", "score"})), 16, State())
    assert same(trained(recipe, 3), session)


@pytest.mark.parametrize("kind", ESTIMATORS)
def test_that_slow_motion_changes_no_bit_of_training(kind):
    recipe = fitted_by(kind)
    slow = Session(recipe, "cpu")
    for _ in range(3):
        names = [stage.name for stage in slow.stages()]
        assert names[0] == "data"
        assert names[-1] == "update"
    assert same(trained(recipe, 3), slow)


def test_that_the_seed_decides_every_number():
    assert same(trained(SMALL, 5), trained(SMALL, 5))
    assert not same(trained(SMALL, 5), trained(replace(SMALL, seed=1), 5))


def test_that_edits_replayed_at_their_steps_give_the_same_weights():
    edits = {
        2: replace(SMALL, optimizer=Adam(rate=0.01)),
        3: replace(SMALL, estimator=ESTIMATORS["dsm"](), batch=48),
        5: replace(SMALL, estimator=ESTIMATORS["nce"](), target=Ring(), data=Data(size=64)),
        7: replace(SMALL, optimizer=SGD(rate=0.01)),
    }

    def run(plan):
        session = Session(SMALL, "cpu")
        for i in range(9):
            if i in plan:
                assert session.edit(plan[i])
            session.step()
        return session

    first = run(edits)
    again = run(dict(first.log[1:]))
    assert first.log == again.log
    assert same(first, again)


def test_that_a_live_knob_changes_the_run_without_a_reset():
    session = trained(SMALL, 3)
    faster = replace(SMALL, estimator=replace(SMALL.estimator, sampler=UnadjustedLangevin(step_size=0.1)))
    assert session.edit(faster)
    session.step()
    assert session.count == 4
    assert not same(session, trained(SMALL, 4))


def test_that_the_confinement_is_live():
    session = trained(SMALL, 1)
    x = torch.tensor([[3.0, 4.0]])
    before = session.energy(x)
    assert session.edit(replace(SMALL, energy=MLP(width=16, confinement=1.02)))
    torch.testing.assert_close(session.energy(x) - before, torch.tensor([12.5]), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "change", [{"energy": MLP(width=17)}, {"seed": 3}, {"energy": MLP(width=16, activation="tanh")}]
)
def test_that_shape_and_seed_start_afresh(change):
    session = trained(SMALL, 2)
    assert not session.edit(replace(SMALL, **change))
    assert session.recipe == SMALL


def test_that_an_edit_to_a_target_that_cannot_be_made_changes_nothing(tmp_path):
    from ebmlab.engine.targets import Points

    session = trained(SMALL, 2)
    with pytest.raises(BadInput):
        session.edit(replace(SMALL, target=Points(path=str(tmp_path / "none.csv"))))
    assert session.recipe == SMALL
    session.step()
    assert same(session, trained(SMALL, 3))


def test_that_a_target_outside_the_plane_is_refused():
    solid = Gaussian(mean=(0, 0, 0), covariance=((1, 0, 0), (0, 1, 0), (0, 0, 1)))
    with pytest.raises(BadInput, match="two"):
        Session(replace(SMALL, target=solid), "cpu")
    session = Session(SMALL, "cpu")
    with pytest.raises(BadInput, match="two"):
        session.edit(replace(SMALL, target=solid))


def test_that_fixed_data_are_drawn_once_and_held_out_ones_apart():
    session = Session(replace(SMALL, data=Data(size=10)), "cpu")
    assert session.pool.train.shape == session.pool.held_out.shape == (10, 2)
    assert not session.pool.train.equal(session.pool.held_out)
    for _ in range(3):
        session.step()
        assert (session.data[:, None] == session.pool.train).all(-1).any(1).all()


def test_that_a_step_that_diverges_leaves_the_last_good_weights_and_names_the_knob():
    wild = replace(
        SMALL, estimator=PersistentContrastiveDivergence(steps=200, sampler=UnadjustedLangevin(step_size=10.0))
    )
    wild = replace(wild, energy=MLP(width=16, confinement=100.0))
    session = Session(wild, "cpu")
    before = weights(session)
    with pytest.raises(Diverged, match=r"step 1.*estimator\.sampler\.step_size \(now 10\)"):
        session.step()
    assert session.count == 0
    assert all(a.equal(b) for a, b in zip(before, weights(session), strict=True))
    assert session.edit(SMALL.__class__(**{**vars(SMALL), "energy": wild.energy}))
    session.step()
    assert session.count == 1


class Poisoned(Estimator):
    """Gives a finite loss whose gradient is not."""

    def stages(self, energy, batch, memory, rng):
        yield from ()
        from ebmlab.engine.estimators import Terms

        return Terms((energy(batch.x) - energy(batch.x)).abs().sqrt().sum()), None


def test_that_a_gradient_that_is_not_finite_is_caught_before_the_update():
    session = Session(replace(SMALL, estimator=Poisoned()), "cpu")
    before = weights(session)
    with pytest.raises(Diverged, match="gradient"):
        session.step()
    assert all(a.equal(b) for a, b in zip(before, weights(session), strict=True))


def test_that_weights_that_overflow_are_put_back():
    session = Session(replace(SMALL, optimizer=SGD(rate=10.0)), "cpu")
    for p in session.net.parameters():
        p.data.mul_(1e18)
    with pytest.raises(Diverged):
        finish_all(session, 50)
    assert all(p.isfinite().all() for p in session.net.parameters())


def test_that_everything_that_travels_pickles():
    session = Session(SMALL, "cpu")
    watch = Watch(session)
    session.step()
    watch.drift(10)
    snapshot = watch.snapshot(Lens(), 32, State())
    again = pickle.loads(pickle.dumps(snapshot))
    assert again.recipe == snapshot.recipe
    assert again.step == 1
    assert (again.energy == snapshot.energy).all()
    assert (again.training.rows == snapshot.training.rows)[:, 0].all()


def test_that_a_snapshot_is_read_only_and_does_not_change_later():
    session = Session(SMALL, "cpu")
    watch = Watch(session)
    session.step()
    snapshot = watch.snapshot(Lens(), 32, State())
    energy, rows = snapshot.energy.copy(), snapshot.training.rows.copy()
    for _ in range(3):
        session.step()
    watch.snapshot(Lens(), 32, State())
    assert (snapshot.energy == energy).all()
    assert len(snapshot.training) == len(rows) == 1
    for array in (snapshot.energy, snapshot.target, snapshot.data, snapshot.particles, snapshot.training.rows):
        with pytest.raises(ValueError, match="read-only"):
            array[...] = 0


def test_that_the_public_names_are_at_the_top():
    import ebmlab

    session = ebmlab.Session(ebmlab.Recipe(energy=MLP(width=8)), device="cpu")
    session.step()
    assert session.energy(torch.zeros(3, 2)).shape == (3,)
    assert session.evaluate().step == 1
