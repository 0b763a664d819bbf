"""What holds for every component of every family, read off the registries."""

from __future__ import annotations

import dataclasses
import json
import math
import pickle
import re

import pytest

import ebmlab.engine.dimension
import ebmlab.session.gallery  # noqa: F401 (fills the families)
from ebmlab.spec import FAMILIES, BadInput, amend, decode, encode, knobs, page
from ebmlab.spec.catalogue import describe
from ebmlab.spec.component import is_part

EVERY = [cls for registry in FAMILIES.values() for cls in registry.values()]
KNOBS = [(cls, *declared) for cls in EVERY for declared in knobs(cls)]
BOUNDED = [(cls, name, default, k) for cls, name, default, k in KNOBS if (k.low, k.high) != (None, None)]
SCALARS = [(cls, name, default, k) for cls, name, default, k in KNOBS if isinstance(default, bool | int | float | str)]
EQUATIONS = {"estimator", "sampler", "log-z", "optimizer", "energy", "target"}
SOURCES = {"estimator", "sampler", "log-z", "optimizer"}
OWN = {("optimizer", "sgd"), ("log-z", "quadrature"), ("estimator", "mle")}
"""Textbook matters that nobody in particular is to be cited for."""


def name_of(case):
    cls, *rest = case if isinstance(case, tuple) else (case,)
    return "/".join([cls.family, cls.kind, *rest[:1]])


every = pytest.mark.parametrize("cls", EVERY, ids=name_of)


def of_knobs(cases):
    return pytest.mark.parametrize(("cls", "name", "default", "k"), cases, ids=map(name_of, cases))


@every
def test_that_the_defaults_are_valid(cls):
    assert cls() == cls()
    assert FAMILIES[cls.family][cls.kind] is cls


@every
def test_that_a_component_is_frozen_final_and_hashable(cls):
    assert dataclasses.is_dataclass(cls)
    assert cls.__dataclass_params__.frozen
    assert cls.__subclasses__() == []
    assert hash(cls()) == hash(cls())


@every
def test_that_every_field_is_a_knob(cls):
    assert [f.name for f in dataclasses.fields(cls)] == [name for name, _, _ in knobs(cls)]


@every
def test_that_it_survives_the_file_format(cls):
    text = json.dumps(encode(cls()), allow_nan=False)
    assert decode(json.loads(text), cls(), cls.family) == cls()


@every
def test_that_it_travels_between_processes(cls):
    assert pickle.loads(pickle.dumps(cls())) == cls()


@every
def test_that_it_is_documented(cls):
    p = page(cls)
    assert cls.__doc__ is not None
    assert not cls.__doc__.startswith(cls.__name__ + "("), "the docstring is the dataclass's own"
    assert p.title
    assert p.title[0].isupper()
    assert len(p.title) <= 80
    assert p.equations or cls.family not in EQUATIONS


@every
def test_that_it_cites_its_source(cls):
    p = page(cls)
    if cls.family in SOURCES and (cls.family, cls.kind) not in OWN:
        assert p.references, "name the paper"
    for title, link in p.references:
        assert re.search(r"\(.*\d{4}\)$", title), f"{title}: no author and year"
        assert re.match(r"https?://\S+$", link), f"{title}: no link"


@every
def test_that_its_page_names_every_knob(cls):
    text = describe(cls())
    assert text.startswith(f"{cls.family} {cls.kind}: ")
    for name, _, k in knobs(cls):
        assert f"  {name} = " in text
        assert k.help in text


@of_knobs(KNOBS)
def test_that_a_knob_says_in_one_sentence_what_it_does(cls, name, default, k):
    assert k.help.endswith(".")
    assert k.help[0].isupper() or k.help[0].isdigit()
    assert "\n" not in k.help


@of_knobs(KNOBS)
def test_that_the_declaration_of_a_knob_makes_sense(cls, name, default, k):
    low, high = k.low, k.high
    assert low is None or high is None or low <= high
    if k.soft is not None:
        ends = [low, *k.soft, high]
        assert sorted(v for v in ends if v is not None) == [v for v in ends if v is not None]
    if k.scale == "log":
        assert (k.soft[0] if k.soft else low) > 0, "a logarithmic slider starts above zero"
    if k.choices:
        assert default in k.choices
    if k.family:
        assert k.family in FAMILIES
    if isinstance(default, float):
        assert math.isfinite(default)


def beyond(k):
    """Yields values just outside the bounds."""

    if k.low is not None:
        yield k.low - max(1, abs(k.low) * 0.01)
    if k.high is not None:
        yield k.high + max(1, abs(k.high) * 0.01)


def shaped(value, like):
    """Returns the value in the shape of a default; None if that is empty."""

    if not isinstance(like, tuple):
        return value
    return tuple(shaped(value, v) for v in like) if like else None


@of_knobs(BOUNDED)
def test_that_bounds_are_enforced_by_name(cls, name, default, k):
    for value in beyond(k):
        wrong = {"a": value} if k.names else shaped(int(value) if isinstance(default, int) else value, default)
        if wrong is None or (isinstance(wrong, tuple) and not wrong):
            continue
        with pytest.raises(BadInput) as caught:
            cls(**{name: wrong})
        assert caught.value.key == name


@of_knobs(SCALARS)
def test_that_the_wrong_type_is_refused_by_name(cls, name, default, k):
    text = () if isinstance(default, str) else ("text",)
    half = (1.5,) if isinstance(default, int) else ()
    for wrong in ([], {}, None, *text, *half):
        with pytest.raises(BadInput) as caught:
            decode({name: wrong}, cls(), cls.family)
        assert caught.value.key == name


@of_knobs(SCALARS)
def test_that_a_knob_can_be_set_by_its_path(cls, name, default, k):
    assert amend(cls(), name, json.dumps(default)) == cls()
    for value in others(default, k):
        try:
            changed = dataclasses.replace(cls(), **{name: value})
        except BadInput:
            continue  # the value is within its own bounds and does not fit the other knobs
        assert amend(cls(), name, json.dumps(value)) == changed
        assert getattr(amend(changed, name, json.dumps(default)), name) == default


def others(default, k):
    """Yields values that a scalar knob may take besides its default."""

    if isinstance(default, bool):
        yield not default
    elif isinstance(default, str):
        yield from k.choices
    else:
        yield from {type(default)(v) for v in (k.low, k.high, *(k.soft or ())) if v is not None}


@every
def test_that_a_component_within_another_can_be_amended(cls):
    for name, default, k in knobs(cls):
        if is_part(k, default) and not isinstance(default, tuple):
            inner, value = next((n, getattr(default, n)) for n, v, _ in knobs(default) if not isinstance(v, tuple))
            assert amend(cls(), f"{name}.{inner}", json.dumps(value)) == cls()
            if k.family:
                assert getattr(amend(cls(), name, default.kind), name) == type(default)()
