from __future__ import annotations

import json
import math
import pickle

import pytest
import torch
from normalisers import WINDOW

from ebmlab.engine.energies import MLP
from ebmlab.engine.oracle import evaluate, evaluate_precisely, evaluation, prepare, reference
from ebmlab.engine.targets import TARGETS, Gaussian
from ebmlab.engine.types import finish

S2 = 0.7
CONTRACT = {"step", "log_z", "log_z_error", "nll", "entropy", "kl", "reverse_kl", "fisher", "border_mass"}
CONTRACT |= {"normalisable", "modes", "parameters", "why"}


def density(kind, **knobs):
    return TARGETS[kind](**knobs).build(None, WINDOW)


@pytest.fixture(scope="module")
def normal():
    return reference(Gaussian(covariance=((S2, 0.0), (0.0, S2))).build(None, WINDOW), WINDOW, 128)


@pytest.fixture(scope="module")
def two_modes():
    return reference(density("two-modes"), WINDOW, 128)


@pytest.fixture(scope="module")
def checkerboard():
    return reference(density("checkerboard"), WINDOW, 128)


def bowl(a, c=0.0):
    return lambda x: a * x.square().sum(-1) / 2 + c


@pytest.mark.parametrize("a", [0.4, 1.0, 3.0])
def test_that_every_figure_of_two_normal_laws_is_the_closed_form(normal, a):
    found = evaluate(bowl(a, c=5.0), normal)
    entropy = math.log(2 * math.pi * math.e * S2)
    kl = a * S2 - 1 - math.log(a * S2)
    assert found.log_z == pytest.approx(math.log(2 * math.pi / a) - 5, abs=1e-8)
    assert found.entropy == pytest.approx(entropy, abs=1e-8)
    assert found.kl == pytest.approx(kl, abs=1e-8)
    assert found.nll == pytest.approx(kl + entropy, abs=1e-8)
    assert found.reverse_kl == pytest.approx(1 / (a * S2) - 1 + math.log(a * S2), abs=1e-8)
    assert found.fisher == pytest.approx((a - 1 / S2) ** 2 * 2 * S2, abs=1e-7)
    assert found.curvature == pytest.approx(a)
    assert found.normalisable
    assert found.why == ()


def test_that_the_curvature_is_that_of_the_steepest_direction(normal):
    matrix = torch.tensor([[2.0, 1.5], [1.5, 5.0]], dtype=torch.float64)
    found = evaluate(lambda x: ((x @ matrix) * x).sum(-1) / 2, normal)
    assert found.curvature == pytest.approx(torch.linalg.eigvalsh(matrix)[-1].item())


@pytest.mark.parametrize("kind", ["two-modes", "ring", "two-moons", "checkerboard"])
def test_that_the_target_as_its_own_model_is_at_no_distance(kind):
    target = reference(density(kind), WINDOW, 128)

    def energy(x):
        return -target.density.log_density(x) + 0 * x.sum(-1)

    found = evaluate(energy, target)
    assert abs(found.log_z) <= 10 * found.log_z_error + 1e-12
    assert abs(found.kl) <= 10 * dict(found.errors)["kl"] + 1e-12
    # The points of a lattice stand for shares of the mass, so the region is known to one of them.
    assert kind == "checkerboard" or found.spurious_mass == pytest.approx(1e-3, abs=1e-4)


def test_that_nll_less_entropy_is_kl_for_a_network(two_modes, rng):
    found = evaluate(MLP().build(rng), two_modes)
    assert found.nll - found.entropy == pytest.approx(found.kl, abs=1e-6)


def test_that_single_precision_agrees_with_double_within_the_error(two_modes, rng):
    net = MLP().build(rng)
    single, double = evaluate(net, two_modes), evaluate(net.double(), two_modes)
    errors = dict(single.errors)
    assert abs(single.log_z - double.log_z) < errors["log_z"]
    assert abs(single.kl - double.kl) < errors["kl"]


def test_that_mass_is_shared_out_among_the_modes(two_modes):
    found = evaluate(lambda x: 2 * (x - x.new_tensor([3.0, 0.0])).square().sum(-1), two_modes)
    assert [m.target_mass for m in found.modes] == pytest.approx([0.8, 0.2], abs=1e-6)
    assert [m.model_mass for m in found.modes] == pytest.approx([0.0, 1.0], abs=1e-6)
    assert found.modes[1].x == pytest.approx(3.0, abs=0.1)


def test_that_edges_do_not_spoil_the_masses_of_modes(checkerboard):
    # Squares that touch at a corner share the cell there.
    assert [m.target_mass for m in evaluate(bowl(0.1), checkerboard).modes] == pytest.approx([0.125] * 8, abs=5e-4)


def test_that_a_model_elsewhere_is_spurious(two_modes):
    found = evaluate(lambda x: 2 * (x - x.new_tensor([0.0, 4.0])).square().sum(-1), two_modes)
    assert found.spurious_mass == pytest.approx(1.0, abs=1e-6)


def test_that_figures_without_a_log_z_are_withheld_with_the_reason(two_modes):
    found = evaluate(lambda x: 3 * torch.tanh(x.norm(dim=-1)), two_modes)
    assert not found.normalisable
    for name in ("log_z", "nll", "kl", "reverse_kl", "spurious_mass"):
        assert getattr(found, name) is None
        assert "log Z grows" in dict(found.why)[name]
    assert found.log_z_error is None
    assert found.modes[0].model_mass is None
    assert found.fisher > 0
    assert found.entropy == two_modes.entropy


def test_that_a_target_with_edges_has_no_score_and_no_reverse_kl(checkerboard):
    found = evaluate(bowl(0.1), checkerboard)
    assert found.fisher is None
    assert found.reverse_kl is None
    assert "edge" in dict(found.why)["fisher"]
    assert "infinite" in dict(found.why)["reverse_kl"]
    area, second = 32.0, 16 / 3  # of the squares of side 2 that fill half of [-4, 4]²
    exact = 0.1 * second + math.log(2 * math.pi / 0.1)
    assert found.entropy == pytest.approx(math.log(area))
    assert abs(found.nll - exact) <= 10 * dict(found.errors)["nll"]


def test_that_a_figure_known_only_roughly_says_so(checkerboard):
    found = evaluate(lambda x: 3 * x[..., 0] + bowl(1.0)(x), checkerboard)
    assert dict(found.errors)["kl"] > 1e-3
    assert ("kl" in dict(found.why)) == (dict(found.errors)["kl"] > 1e-3 + 1e-2 * found.kl)


def test_that_a_target_finer_than_the_lattice_is_withheld():
    tiny = reference(Gaussian(covariance=((1e-6, 0.0), (0.0, 1e-6))).build(None, WINDOW), WINDOW, 64)
    found = evaluate(bowl(1.0), tiny)
    assert found.nll is found.kl is found.entropy is None
    assert "lattice" in dict(found.why)["kl"]


def test_that_work_in_pieces_gives_the_same_figures_bit_by_bit(two_modes, rng):
    net = MLP(width=16).build(rng)
    assert finish(evaluation(net, two_modes, step=7)) == evaluate(net, two_modes, step=7)
    assert len(list(evaluation(net, two_modes))) >= 6
    seen = list(prepare(two_modes.density, WINDOW, 128))
    assert seen == sorted(seen)
    assert 0 <= seen[0] <= seen[-1] <= 1


def test_that_the_precise_figures_are_good_to_eight_digits():
    found = evaluate_precisely(bowl(1.2), Gaussian().build(None, WINDOW), WINDOW)
    assert found.log_z == pytest.approx(math.log(2 * math.pi / 1.2), abs=1e-10)
    assert found.log_z_error < 1e-8


def test_that_the_answer_travels_and_holds_the_keys_of_the_contract(checkerboard):
    class Named:
        def __call__(self, x):
            return bowl(0.3)(x)

        def named_figures(self):
            return {"a": 0.3}

    found = evaluate(Named(), checkerboard, step=3)
    assert pickle.loads(pickle.dumps(found)) == found
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert set(data) >= CONTRACT
    assert data["step"] == 3
    assert data["parameters"] == {"a": 0.3}
    assert set(data["modes"][0]) == {"x", "y", "target_mass", "model_mass"}
    assert {name for name in ("fisher", "reverse_kl") if data[name] is None} <= set(data["why"])
