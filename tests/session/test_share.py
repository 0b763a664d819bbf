from __future__ import annotations

import base64
import json
import random
import shlex
import zlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ebmlab.cli.arguments import parser
from ebmlab.cli.sources import amended, read_recipe
from ebmlab.engine.energies import ENERGIES, Flow, Formula
from ebmlab.engine.estimators import ESTIMATORS
from ebmlab.engine.logz import AIS, LOG_ZS
from ebmlab.engine.optimizers import OPTIMIZERS
from ebmlab.engine.samplers import SAMPLERS
from ebmlab.engine.targets import TARGETS, Brush, Drawing, Image, Points, Text
from ebmlab.session.gallery import exhibits
from ebmlab.session.recipe import Recipe
from ebmlab.session.share import MOST_TEXT, SHARES, command, from_link, is_link, link, script
from ebmlab.spec import BadInput, Component, knobs

STROKE = tuple((0.01 * i, 0.003 * i * i - 1 / 3) for i in range(120))
DRAWN = Recipe(target=Drawing(marks=(Brush(path=STROKE), Brush(path=((1.0, 2.0), (3.0, 4.0))))))
LETTERS = 'say "hi" & $HOME; it\'s\n<here>'


def fitted(**parts):
    """Returns a recipe with some parts, on an energy that its estimator takes."""

    try:
        return Recipe(**parts)
    except BadInput:
        return next(r for kind in ("flow", "vae") for r in [tried(energy=ENERGIES[kind](), **parts)] if r)


def tried(**parts):
    try:
        return Recipe(**parts)
    except BadInput:
        return None


FAMILIES = {
    "energy": ENERGIES,
    "target": TARGETS,
    "estimator": ESTIMATORS,
    "sampler": SAMPLERS,
    "optimizer": OPTIMIZERS,
}
RECIPES = {
    **{f"{name}/{kind}": fitted(**{name: cls()}) for name, family in FAMILIES.items() for kind, cls in family.items()},
    **{f"log-z/{kind}": Recipe(log_z=(AIS(rungs=7), cls())) for kind, cls in LOG_ZS.items()},
    "default": Recipe(),
    "no log Z": Recipe(log_z=()),
    "drawn": DRAWN,
    "formula": Recipe(energy=Formula(expression="b*x**2 + c*y", parameters={"b": 2.0, "c": 1e-9})),
    "letters": Recipe(target=Text(text=LETTERS)),
    "window": Recipe(window=(-1.0, 2.0, -3.5, 1e6), seed=2**31 - 1),
}
every_recipe = pytest.mark.parametrize("recipe", RECIPES.values(), ids=RECIPES)


def typed(text):
    """Returns the recipe that a command trains."""

    program, *words = shlex.split(text)
    assert program == "ebmlab"
    args = parser().parse_args(words)
    return amended(read_recipe(args.recipe), args)


def made(code):
    """Returns the recipe that a script makes, without training it."""

    names = {}
    exec(compile(code.partition("session = ")[0], "script", "exec"), names)
    return names["recipe"]


def packed(text, check=None):
    content = text.encode() if isinstance(text, str) else text
    packer = zlib.compressobj(9, wbits=-15)
    body = packer.compress(content) + packer.flush()
    check = zlib.crc32(content) if check is None else check
    return "ebmlab:1:" + base64.urlsafe_b64encode(check.to_bytes(4, "big") + body).decode().rstrip("=")


@every_recipe
def test_that_a_link_gives_back_the_recipe(recipe):
    text = link(recipe)
    assert is_link(text)
    assert from_link(text) == recipe
    assert set(text) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_:")


@every_recipe
def test_that_a_command_trains_the_recipe(recipe):
    assert typed(command(recipe)) == recipe


@every_recipe
def test_that_a_script_makes_the_recipe(recipe):
    assert made(script(recipe)) == recipe


@every_recipe
def test_that_the_copied_recipe_is_a_recipe_file(recipe):
    assert Recipe.loads(SHARES["recipe"](recipe)) == recipe


def test_that_links_of_the_gallery_are_short():
    recipes = [course.recipe for exhibit in exhibits() for course in exhibit.courses.values()]
    lengths = sorted(len(link(recipe)) for recipe in recipes)
    assert all(from_link(link(recipe)) == recipe for recipe in recipes)
    assert lengths[len(lengths) // 2] < 200
    assert lengths[-1] < 1000
    assert len(link(Recipe())) < 30


@st.composite
def turned(draw, component=None):
    """Draws a component with some of its numbers turned to anything that the knobs allow."""

    component = Recipe() if component is None else component
    for name, _, k in knobs(component):
        value = getattr(component, name)
        low, high = k.low if k.low is not None else -1e6, k.high if k.high is not None else 1e6
        if isinstance(value, Component):
            value = draw(turned(value))
        elif isinstance(value, bool):
            value = draw(st.booleans())
        elif isinstance(value, int | float) and draw(st.booleans()):
            kind = st.integers(int(low), int(high)) if isinstance(value, int) else st.floats(low, high)
            value = draw(kind)
        try:
            component = replace(component, **{name: value})
        except BadInput:
            continue
    return component


@settings(max_examples=40, deadline=None)
@given(turned())
def test_that_any_numbers_survive_every_form(recipe):
    assert from_link(link(recipe)) == recipe
    assert made(script(recipe)) == recipe
    assert typed(command(recipe)) == recipe


def test_that_a_link_broken_by_mail_is_read():
    text = link(DRAWN)
    lines = "\r\n  ".join(text[i : i + 60] for i in range(0, len(text), 60))
    assert is_link(f" <{lines}>\n")
    assert from_link(f" <{lines}>\n") == DRAWN
    assert from_link(f'"{text}=="') == DRAWN


def test_that_a_link_with_any_letter_changed_or_cut_off_is_refused():
    text, rng = link(RECIPES["formula"]), random.Random(0)
    for i in range(len("ebmlab:1:"), len(text) - 1):  # the last letter may hold bits that stand for nothing
        other = rng.choice([c for c in "ABCxyz019-_" if c != text[i]])
        for broken in (text[:i] + other + text[i + 1 :], text[:i]):
            with pytest.raises(BadInput, match=r"^the link: "):
                from_link(broken)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("", "this is none"),
        ("https://example.org/ebmlab:1:abc", "this is none"),
        ("ebmlab:1:", "this is none"),
        ("ebmlab:1:ä", "this is none"),
        ("ebmlab:2:abc", "version 2"),
        ("ebmlab:1:A", "missing or changed"),
        ("ebmlab:1:" + "A" * 3_000_000, "longer than any"),
        (packed("{}", check=0), "missing or changed"),
        (packed("0" * (2 * MOST_TEXT)), "missing or changed"),
        (packed("[" * 100_000), "recipe"),
        (packed("[" + "1," * 1_100_000 + "1]"), "more values"),
        (packed('{"seed": 1' + "0" * 10_000 + "}"), "digits"),
        (packed('{"seed": NaN}'), "NaN"),
        (packed(b"\xff\xfe"), "JSON"),
        (packed("[]"), "JSON object"),
        (packed('{"energi": {}}'), "energy"),
        (packed('{"energy": {"kind": "mlp", "depth": 10000}}'), "energy.depth"),
        (packed('{"target": {"kind": "points", "path": "/etc/passwd"}}'), "no files"),
        (packed('{"version": 99}'), "version 99"),
    ],
)
def test_that_a_hostile_link_gets_one_sentence(text, word):
    with pytest.raises(BadInput, match=word) as fault:
        from_link(text)
    assert len(str(fault.value)) < 300
    assert "\n" not in str(fault.value)


@pytest.mark.parametrize("target", [Points(path="/a/secret.csv"), Image(path="i.png")])
def test_that_a_link_of_a_file_is_refused_while_script_and_command_name_it(target):
    recipe = Recipe(target=target)
    with pytest.raises(BadInput, match="a link holds no files"):
        link(recipe)
    assert made(script(recipe)) == recipe
    assert target.path in command(recipe)


def test_that_a_long_drawing_is_typed_as_a_link():
    text = command(DRAWN, steps=7)
    assert "ebmlab:1:" in text
    assert text.endswith("--steps 7")


def test_that_only_what_differs_is_said():
    recipe = Recipe(energy=Flow(width=32), seed=3)
    assert command(recipe) == ("ebmlab train -o run --steps 2000 --set seed=3 --set energy=flow --set energy.width=32")
    assert script(recipe, steps=5).splitlines() == [
        "import ebmlab",
        "from ebmlab.engine.energies import Flow",
        "",
        "recipe = ebmlab.Recipe(seed=3, energy=Flow(width=32))",
        "session = ebmlab.Session(recipe)",
        "for _ in range(5):",
        "    session.step()",
        "",
        "print(session.evaluate().kl)",
    ]


def test_that_a_script_runs_when_pasted(monkeypatch, capsys):
    from ebmlab.engine.oracle import evaluate, reference

    def coarse(energy, density, window, step=0):
        return evaluate(energy, reference(density, window, 64), step)

    monkeypatch.setattr("ebmlab.session.session.evaluate_precisely", coarse)
    exec(compile(script(Recipe(batch=8), steps=2), "script", "exec"), {})
    assert float(capsys.readouterr().out) > 0


def test_that_a_recipe_file_may_say_what_a_link_says():
    content = zlib.decompress(base64.urlsafe_b64decode(link(DRAWN)[9:] + "==")[4:], wbits=-15)
    assert Recipe.loads(content.decode()) == DRAWN
    assert set(json.loads(content)) == {"target"}
