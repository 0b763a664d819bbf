from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmlab.engine.expression import DEPTH, FUNCTIONS, LENGTH, Expression, parse
from ebmlab.spec import BadInput

VALUES = {
    "x + y * 2": lambda x, y: x + y * 2,
    "x - y - 1": lambda x, y: x - y - 1,
    "x / y / 2": lambda x, y: x / y / 2,
    "-x**2": lambda x, y: -(x**2),
    "x**-2": lambda x, y: x**-2.0,
    "2**x**2": lambda x, y: 2 ** (x**2),
    "--x + +y": lambda x, y: x + y,
    "(x + y) * (x - y)": lambda x, y: (x + y) * (x - y),
    "1.5e-1*x + .5*y + 2.": lambda x, y: 0.15 * x + 0.5 * y + 2,
    "sin(x) + cos(y)*tan(x/9)": lambda x, y: np.sin(x) + np.cos(y) * np.tan(x / 9),
    "exp(-x) + log(abs(y)) + sqrt(abs(x))": lambda x, y: np.exp(-x) + np.log(np.abs(y)) + np.sqrt(np.abs(x)),
    "tanh(x) + sinh(y) + cosh(x)": lambda x, y: np.tanh(x) + np.sinh(y) + np.cosh(x),
    "min(x, y) + 3*max(x, 1)": lambda x, y: np.minimum(x, y) + 3 * np.maximum(x, 1),
    "atan2(y, x) - theta": lambda x, y: 0 * x,
    "hypot(x, y) + r": lambda x, y: 2 * np.hypot(x, y),
    "sigmoid(x) + softplus(9*y)": lambda x, y: 1 / (1 + np.exp(-x)) + np.logaddexp(0, 9 * y),
    "pi*x + e*y": lambda x, y: np.pi * x + np.e * y,
    " \n x\t": lambda x, y: x,
}

FAULTS = {
    "": "the formula is empty",
    "   ": "the formula is empty",
    "x +": "ends too early",
    "(x + 1": "a ) is missing at the end; close the (",
    "sin(x": "close the sin(",
    "x)": "')' at character 2 is out of place",
    "sin()": "')' at character 5 is out of place",
    "x^2": "'^' at character 2 is no operator; write ** for a power",
    "2x": "'x' at character 2 follows without an operator",
    "x(y)": "there is no function 'x' (character 1)",
    "1(2)": "'(' at character 2 follows without an operator",
    "x, y": "',' at character 2 is out of place",
    "sin + 1": "sin at character 1 needs brackets, such as sin(x)",
    "sin(x, y)": "sin at character 1 was given 2 values; give it 1",
    "1 + hypot(x)": "hypot at character 5 was given 1 values; give it 2",
    "x + alpa": "there is no name 'alpa' (character 5); did you mean alpha?",
    "cosinus(x)": "there is no function 'cosinus' (character 1); did you mean sin or cos?",
    "x = 1": "'=' at character 3 has no place in a formula",
    "x < y": "'<' at character 3 has no place in a formula",
    "9**9**9**9": "do not make a finite one",
    "1/0": "do not make a finite one",
    "log(-1)": "do not make a finite one",
    "1e999 * x": "do not make a finite one",
    "x.__class__": "'.' at character 2 has no place in a formula",
    "__import__('os').system('ls')": "there is no function '__import__'",
    "open('/etc/passwd')": "there is no function 'open'",
    "(lambda: x)()": "there is no name 'lambda'",
    "[x for x in y]": "'[' at character 1 has no place in a formula",
    "x if y else 1": "'if' at character 3 follows without an operator",
    "x\x00": "'\\x00' at character 2 has no place in a formula",
    "1 1j": "'1' at character 3 follows without an operator",
    "-" * (DEPTH + 1) + "x": "nested more than",
    "(" * (DEPTH + 1) + "x": "nested more than",
    "2**" * (DEPTH + 1) + "x": "nested more than",
    "x+" * LENGTH: "characters; keep it within",
}


@pytest.fixture
def points(rng):
    return torch.randn(5, 7, 2, generator=rng, dtype=torch.float64)


@pytest.mark.parametrize("text", VALUES)
def test_that_a_formula_has_the_value_that_numpy_gives_it(text, points):
    found = parse(text)(points)

    assert found.dtype == torch.float64
    assert found.shape == (5, 7)
    np.testing.assert_allclose(found.numpy(), VALUES[text](*np.moveaxis(points.numpy(), -1, 0)), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("text", FAULTS)
def test_that_a_bad_formula_is_refused_in_one_line_that_says_where(text):
    with pytest.raises(BadInput) as caught:
        parse(text, ("alpha",))

    assert FAULTS[text] in str(caught.value)
    assert str(caught.value).startswith("expression: ")
    assert "\n" not in str(caught.value)


def test_that_a_constant_formula_has_the_shape_of_the_points(points):
    assert parse("2*pi")(points).equal(torch.full((5, 7), 2 * torch.pi, dtype=torch.float64))
    assert parse("a", ["a"])(points, {"a": torch.tensor(3.0)}).equal(torch.full((5, 7), 3.0, dtype=torch.float64))


def test_that_plain_numbers_are_worked_out_once():
    assert parse("2*3 + sqrt(16) - -1").program == (11.0,)


def test_that_a_parameter_may_hide_the_radius_but_not_a_coordinate(points):
    assert parse("r", ["r"])(points, {"r": 2.0}).eq(2).all()
    for name in ("x", "y", "pi", "sin"):
        with pytest.raises(BadInput, match=f"parameters: '{name}' has a meaning of its own"):
            parse("1", [name])


def test_that_only_parameters_that_occur_are_asked_for(points):
    formula = parse("b*x + a", ["a", "b", "c"])

    assert formula.names == ("a", "b")
    assert formula(points, {"a": 1.0, "b": 2.0}).equal(1 + 2 * points[..., 0])


def test_that_first_and_second_derivatives_reach_points_and_parameters(points):
    a = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    x = points.reshape(-1, 2)[:4].requires_grad_()
    formula = parse("a*x**2*sin(y) + softplus(a*x) + hypot(x, y)**3 + sigmoid(x*y) + tanh(a)", ["a"])

    assert torch.autograd.gradcheck(lambda x, a: formula(x, {"a": a}), (x, a))
    weight = torch.linspace(1, 2, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda x, a: formula(x, {"a": a}), (x, a), weight)


@pytest.mark.parametrize("text", ["r", "hypot(x, y)", "x**2", "abs(x)"])
def test_that_the_gradient_at_the_origin_is_zero_rather_than_undefined(text):
    x = torch.zeros(1, 2, requires_grad=True)
    parse(text)(x).sum().backward()

    assert x.grad.eq(0).all()


def test_that_softplus_keeps_full_precision_and_its_curvature_far_out():
    x = torch.tensor([[40.0, 0], [-800.0, 0]], dtype=torch.float64, requires_grad=True)
    (grad,) = torch.autograd.grad(parse("softplus(x)")(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(grad.sum(), x)

    assert parse("softplus(x - 73)")(x.detach())[0] == np.log1p(np.exp(-33.0))
    assert curvature.isfinite().all()


def test_that_a_formula_survives_pickling_and_copying(points):
    formula = parse("a*x + hypot(x, y)", ["a"])

    assert pickle.loads(pickle.dumps(formula)) == copy.deepcopy(formula) == formula


def test_that_a_long_flat_formula_is_read_and_evaluated():
    assert parse("+".join(["x"] * (LENGTH // 2)))(torch.ones(1, 2)) == LENGTH // 2


words = st.sampled_from(
    [*FUNCTIONS, *"xyaer", "pi", "theta", *"()()+-*/,.", "**", " ", "2", ".5", "1e3", "é", "__", "\n"]
)


@settings(max_examples=100, deadline=None, derandomize=True, database=None)
@given(st.lists(words, max_size=12).map("".join) | st.text(max_size=20))
def test_that_any_text_is_either_a_formula_or_refused(text):
    try:
        formula = parse(text, ["a"])
    except BadInput:
        return
    assert isinstance(formula, Expression)
    assert formula(torch.ones(3, 2), {"a": 0.5}).shape == (3,)
