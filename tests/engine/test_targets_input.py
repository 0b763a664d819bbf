from __future__ import annotations

import pytest

from ebmlab.engine.targets import Checkerboard, Gaussian, GaussianMixture, Points, Ring, Stamp
from ebmlab.spec import BadInput

EYE = ((1.0, 0.0), (0.0, 1.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: Gaussian(covariance=((1, 2), (2, 1))),
            "covariance: the matrix is not symmetric and positive definite",
        ),
        (lambda: Gaussian(covariance=((1, 0.5), (0, 1))), "covariance: the matrix is not symmetric and positive"),
        (lambda: Gaussian(covariance=((1, 0), (0, 0))), "covariance: the matrix is not symmetric and positive"),
        (lambda: Gaussian(covariance=((1, 0, 0), (0, 1, 0))), "covariance: the matrix is not 2 by 2; give as many"),
        (lambda: Gaussian(mean=(), covariance=()), "covariance: its centre has no numbers; give two"),
        (lambda: mixture(weights=(0, 0)), "weights: the weights sum to nothing; make one of them positive"),
        (lambda: mixture(weights=(-1, 2)), "weights: -1 will not do; give a number from 0"),
        (
            lambda: mixture(weights=(1,)),
            "weights: there are 1 weights, 2 means and 2 covariances; give as many of each",
        ),
        (lambda: mixture(weights=(), means=(), covariances=()), "weights: the weights sum to nothing"),
        (lambda: mixture(means=((0, 0), (1,))), "means: the means differ in length; give each 2 numbers"),
        (lambda: mixture(covariances=(EYE, ((1, 0), (0, -1)))), "covariances.1: the matrix is not symmetric"),
        (lambda: mixture(means="abc"), "means: 'abc' will not do; give a list lists"),
        (lambda: Ring(spread=0.0), "spread: 0.0 will not do; give a number from 0.01 to 10"),
        (lambda: Checkerboard(squares=2.5), "squares: 2.5 will not do; give a whole number from 1 to 32"),
        (lambda: Points(values=((1.0, float("nan")),)), "values: nan will not do; give a number"),
        (lambda: Points(values=((1.0,),)), r"values: \(1.0,\) will not do; give a list of 2 numbers"),
        (lambda: Stamp(sigmas=(0.0, 1.0)), "sigmas: 0.0 will not do; give a number from 0.05"),
    ],
)
def test_that_a_bad_parameter_is_refused_with_its_key_and_the_mend(make, message):
    with pytest.raises(BadInput, match=message) as caught:
        make()

    assert "\n" not in str(caught.value)


def mixture(weights=(1, 1), means=((0, 0), (1, 1)), covariances=(EYE, EYE)):
    return GaussianMixture(weights=weights, means=means, covariances=covariances)
