"""The energy in the formats of torch.export, ONNX and Python against torch, every kind of it."""

from __future__ import annotations

import json
import warnings

import pytest
import torch

from ebmlab.engine.energies import ENERGIES, MLP, Flow, Formula, Quadratic
from ebmlab.engine.estimators import ESTIMATORS
from ebmlab.engine.expression import FUNCTIONS
from ebmlab.engine.oracle import Evaluation
from ebmlab.engine.types import finish
from ebmlab.record.export import EXPORTS, export
from ebmlab.record.export.base import Source
from ebmlab.record.export.checks import check, exact, points
from ebmlab.record.export.graph import graph_of, score_program
from ebmlab.session.recipe import Recipe
from ebmlab.session.session import Session

LIMIT = 1e-5
"""How far a file may be from torch, relative to the value, or to 1 if that is larger."""
FORMULAS = (
    "a*sin(x)**2 + atan2(y, x) + hypot(x, y) + r*theta + max(x, y) + softplus(x) + 2**x + cos(y)",
    "tan(x/10) + sinh(x/9) + cosh(x/9) + tanh(y) + exp(x/9) + log(99+x) + sqrt(99+x) + abs(x-0.1) + sigmoid(x) "
    "+ min(x, y)",
)
SPECS = {
    **{kind: cls() for kind, cls in ENERGIES.items()},
    "flow of couplings": ENERGIES["flow"](transform="coupling"),
    "vae of two latents": ENERGIES["vae"](latent=2, nodes=64),
    "isotropic": ENERGIES["quadratic"](isotropic=True),
    "learnt waves": ENERGIES["fourier"](learnt=True, depth=0),
    "mlp of relu": MLP(activation="relu", depth=3),
    "mlp of softplus": MLP(activation="softplus"),
    "mlp of width 1": MLP(width=1, depth=1, activation="tanh"),
    "one Gaussian": ENERGIES["mixture-density"](components=1),
    "constant": Formula(expression="1", parameters={}),
    **{f"formula {i}": Formula(expression=text, parameters={"a": 0.3}) for i, text in enumerate(FORMULAS)},
}
FAMOUS = [*ENERGIES, "flow of couplings", "formula 0", "formula 1"]
"""Kinds that are written in every format; of the others and of some quick ones the graph is enough."""
QUICK = ["mlp", "quadratic", "formula", *(kind for kind in SPECS if kind not in FAMOUS)]
PROGRAMS = ("pt2", "pt2-score", "onnx", "onnx-score", "python")


@pytest.fixture(autouse=True)
def no_figures(monkeypatch):
    monkeypatch.setattr(Session, "evaluate", lambda session: Evaluation())


def session_of(kind):
    """Returns a session whose weights have moved away from what they were made as."""

    session = Session(Recipe(energy=SPECS[kind]), "cpu")
    rng = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for p in session.net.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=rng) * p.abs().mean().clamp(min=0.1))
    session.net.observe(torch.randn(100, 2, generator=rng))
    return session


def test_that_the_formulas_use_every_function():
    assert all(f"{name}(" in "".join(FORMULAS) for name in FUNCTIONS)


@pytest.mark.parametrize("kind", QUICK)
def test_that_the_graph_of_an_energy_is_the_energy(kind):
    source = Source(session=session_of(kind))
    found = check("the graph", source.net, source.session.recipe.window, lambda x: (source.graph(x),))
    assert found.error <= 1e-6
    assert found.points == sum(map(len, points(source.session.recipe.window)))
    program = score_program(source.graph).module()
    assert check("the program", source.net, source.session.recipe.window, program).error <= 1e-6


@pytest.mark.exports
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", FAMOUS)
def test_that_every_energy_leaves_in_every_format(kind, tmp_path):
    source = Source(session=session_of(kind))
    found = {name: finish(EXPORTS[name].write(source, tmp_path / name)) for name in PROGRAMS}
    assert {name: done for name, done in found.items() if not done.error <= max(LIMIT, done.rounding)} == {}
    assert found["onnx"].error <= LIMIT


@pytest.mark.exports
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["flow", "vae", "kernel-density"])
def test_that_a_sharp_density_leaves_as_near_as_torch_is_to_itself(kind, tmp_path):
    session = Session(Recipe(energy=SPECS[kind], estimator=ESTIMATORS["likelihood"](), batch=128), "cpu")
    for _ in range(150):
        session.step()
    source = Source(session=session)
    done = finish(EXPORTS["onnx-score"].write(source, tmp_path / "e"))
    assert done.error <= max(LIMIT, done.rounding)


def test_that_an_onnx_file_takes_any_number_of_points_and_carries_its_recipe(tmp_path):
    onnx, onnxruntime = pytest.importorskip("onnx"), pytest.importorskip("onnxruntime")
    session = Session(Recipe(energy=Quadratic()), "cpu")
    path = tmp_path / "e.onnx"
    done = finish(export(session, "onnx-score", path))
    assert done.check.by == "onnxruntime"
    model = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    assert [(i.name, i.shape) for i in model.get_inputs()] == [("x", ["n", 2])]
    assert [(o.name, o.shape) for o in model.get_outputs()] == [("energy", ["n"]), ("score", ["n", 2])]
    for n in (1, 2, 11, 5000):
        x = torch.randn(n, 2, generator=torch.Generator().manual_seed(n))
        energy, score = model.run(None, {"x": x.numpy()})
        assert torch.allclose(torch.from_numpy(energy), exact(session.net, x)[0], rtol=1e-5, atol=1e-5)
        assert torch.allclose(torch.from_numpy(score), -x * 1.02, rtol=1e-5, atol=1e-5)
    facts = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert Recipe.loads(facts["recipe"]) == session.recipe
    assert facts["step"] == "0"


def test_that_a_program_is_read_by_torch_alone(tmp_path):
    session = session_of("mlp")
    path = tmp_path / "e.pt2"
    finish(export(session, "pt2-score", path))
    extra = {"recipe": "", "step": ""}
    with warnings.catch_warnings(action="ignore"), path.open("rb") as file:
        program = torch.export.load(file, extra_files=extra).module()
    x = torch.randn(17, 2, generator=torch.Generator().manual_seed(0))
    energy, score = program(x)
    assert torch.equal(energy, exact(session.net, x)[0])
    assert score.shape == (17, 2)
    assert json.loads(extra["recipe"])["energy"]["kind"] == "mlp"


def test_that_what_does_not_depend_on_the_point_is_computed_beforehand():
    net = ENERGIES["vae"](width=8, nodes=64).build(torch.Generator().manual_seed(0)).requires_grad_(False)
    graph = graph_of(net)
    names = [name for name, _ in graph.named_buffers()]
    assert not any("encoder" in name or "weight" in name for name in names)
    assert sum(node.op == "call_function" for node in graph.graph.nodes) < 20


def test_that_a_wrong_file_is_told_from_a_right_one():
    net = MLP(width=4).build(torch.Generator().manual_seed(0)).requires_grad_(False)
    window = (-6.0, 6.0, -6.0, 6.0)

    def error(found):
        return check("nobody", net, window, found).error

    assert error(lambda x: exact(net, x)) == 0
    assert error(lambda x: (exact(net, x)[0] + 0.01,)) > 1e-3
    assert error(lambda x: (exact(net, x)[0], -exact(net, x)[1])) > 0.1
    assert error(lambda x: (exact(net, x)[0][:1],)) == float("inf")
    assert error(lambda x: (torch.full((len(x),), torch.nan),)) == float("inf")
    assert 0 < check("nobody", net, window, lambda x: exact(net, x)).rounding < LIMIT


def test_that_a_flow_leaves_with_couplings_that_are_trained_in_any_shape():
    net = Flow(transforms=1, width=8, transform="coupling").build(torch.Generator().manual_seed(0))
    graph = graph_of(net.requires_grad_(False))
    for n in (1, 2, 3, 100):
        x = torch.randn(n, 2, generator=torch.Generator().manual_seed(n))
        assert torch.allclose(graph(x), net(x), atol=1e-6)
