from __future__ import annotations

import copy
import math

import pytest
import torch
from laws import STAGES, WINDOW, bowl, isotropic, plane, quadratic, scalar, watch

from ebmlab.engine.energies import MLP, VAE, Flow
from ebmlab.engine.estimators import (
    ESTIMATORS,
    Batch,
    ContrastiveDivergence,
    DenoisingScoreMatching,
    GaussianNoise,
    ImplicitScoreMatching,
    ImportanceSampledLikelihood,
    JarzynskiReweighting,
    MaximumLikelihood,
    NoiseContrastiveEstimation,
    PersistentContrastiveDivergence,
    SlicedScoreMatching,
)
from ebmlab.engine.samplers import ExactSampler, MetropolisLangevin
from ebmlab.spec import BadInput

IN_ANY_DIMENSION = [
    "cd",
    "ism",
    "dsm",
    "ssm",
    "nce",
    "cnce",
    "ranking-nce",
    "ence",
    "ksd",
    "lsd",
    "adversarial",
    "fce",
    "tre",
    "ed",
    "mpf",
    "pseudo-likelihood",
    "short-run",
    "recovery",
    "is-mle",
    "jarzynski",
    "pt-pcd",
]
CLASSIFIERS = {"nce", "ence", "fce", "tre"}
"""Those that tell the data from noise of known density, and so learn what the energy's constant should be."""


NORMALISED = {"likelihood": Flow(transform="coupling", width=8), "elbo": VAE(width=8)}
"""Models for the estimators that take no other."""


def same(before, after):
    """Returns whether all tensors in a memory are what they were."""

    if isinstance(before, tuple):
        return len(before) == len(after) and all(map(same, before, after))
    return before.equal(after) if isinstance(before, torch.Tensor) else before == after


def batch_of(n, rng, dim=2, dtype=torch.float64):
    return Batch(torch.randn(n, dim, generator=rng, dtype=dtype), WINDOW)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", list(ESTIMATORS))
def test_that_a_step_keeps_the_type_and_reaches_every_weight(kind, dtype, rng):
    estimator, net = ESTIMATORS[kind](), NORMALISED.get(kind, MLP(width=8)).build(rng).to(dtype)
    batch = batch_of(16, rng, dtype=dtype)
    memory = estimator.init(net, batch, rng)
    terms, _ = estimator.loss(net, batch, memory, rng)

    assert (terms.loss.shape, terms.loss.dtype) == ((), dtype)
    assert (terms.value is None) == (estimator.objective == "")
    assert terms.value is None or (terms.value.isfinite() and not terms.value.requires_grad)
    assert terms.negatives is None or (terms.negatives.dtype == dtype and not terms.negatives.requires_grad)
    assert all(p.grad is None for p in net.parameters())

    terms.loss.backward()
    trained = dict(net.named_parameters())
    if (
        kind not in CLASSIFIERS and kind not in NORMALISED
    ):  # every other estimator is blind to a constant added to the energy
        bias = trained.pop("head.bias").grad
        assert bias is None or bias.abs() < 1e-5
    assert all(p.grad is not None and p.grad.abs().max() > 0 for p in trained.values())


@pytest.mark.parametrize("kind", list(ESTIMATORS))
def test_that_slow_motion_computes_the_same_loss_and_spares_the_memory(kind, rng):
    estimator, batch = ESTIMATORS[kind](), batch_of(12, rng)
    net = NORMALISED.get(kind, MLP(width=8)).build(rng).double()
    memory = estimator.init(net, batch, rng)
    before, x, state = copy.deepcopy(memory), batch.x.clone(), rng.get_state()
    fast, _ = estimator.loss(net, batch, memory, rng)
    seen, (slow, _) = watch(estimator.stages(net, batch, memory, rng.set_state(state)))

    assert slow.loss.equal(fast.loss)
    assert batch.x.equal(x)
    assert same(before, memory)
    assert seen
    assert {s.name for s in seen} <= STAGES
    assert all(s.text.endswith(".") and s.points is not None for s in seen)
    assert all(s.origin is None or s.origin.shape == s.points.shape for s in seen)


@pytest.mark.parametrize("kind", IN_ANY_DIMENSION)
@pytest.mark.parametrize("dim", [1, 3, 8])
def test_that_it_trains_in_any_dimension(kind, dim, rng):
    estimator, batch, a = ESTIMATORS[kind](), batch_of(9, rng, dim), scalar(0.5)
    terms, _ = estimator.loss(bowl(a), batch, estimator.init(bowl(a), batch, rng), rng)
    (slope,) = torch.autograd.grad(terms.loss, a)
    assert slope.isfinite()


def test_that_quadrature_serves_the_line_and_the_plane_and_refuses_space(rng):
    for dim in (1, 2):
        terms, _ = MaximumLikelihood().loss(bowl(1.0), batch_of(9, rng, dim), None, rng)
        assert terms.negatives.shape == (9, dim)
    with pytest.raises(BadInput, match=r"3 dimensions needs 96\^3 points"):
        MaximumLikelihood().loss(bowl(1.0), batch_of(9, rng, 3), None, rng)


def test_that_the_negatives_of_quadrature_are_drawn_from_the_model(rng):
    batch = Batch(isotropic(40_000, 4.0, rng), WINDOW)
    terms, _ = MaximumLikelihood().loss(bowl(2.0), batch, None, rng)
    variance = 0.5 + 0.25**2 / 6
    square = terms.negatives.square().mean(0)
    assert (square - variance).abs().max() < 4 * variance * math.sqrt(2 / 40_000)


def test_that_the_exact_gradient_is_the_slope_of_the_exact_loss(rng):
    net, batch = MLP(width=8).build(rng).double(), batch_of(50, rng)
    weights = torch.nn.utils.parameters_to_vector(net.parameters())
    direction = torch.randn(weights.shape, generator=rng, dtype=weights.dtype)

    def loss(step):
        torch.nn.utils.vector_to_parameters(weights.detach() + step * direction, net.parameters())
        return MaximumLikelihood().loss(net, batch, None, rng)[0].loss

    difference = (loss(1e-5) - loss(-1e-5)).item() / 2e-5
    gradient = torch.autograd.grad(loss(0.0), net.parameters())
    along = flat(gradient) @ direction
    assert along.item() == pytest.approx(difference, rel=1e-7)


def test_that_refining_the_lattice_leaves_the_loss_where_it_was(rng):
    batch = batch_of(50, rng)
    losses = [MaximumLikelihood(resolution=k).loss(bowl(1.0), batch, None, rng)[0].loss.item() for k in (64, 96, 192)]
    assert losses[1] == pytest.approx(losses[0], abs=1e-9)
    assert losses[2] == pytest.approx(losses[1], abs=1e-12)


def test_that_the_exact_loss_sees_the_mass_beyond_the_window(rng):
    batch = batch_of(50, rng)
    wide = 0.02  # a standard deviation of 7, in a window that ends at 6
    loss = MaximumLikelihood().loss(bowl(wide), batch, None, rng)[0].loss.item()
    truth = wide * batch.x.square().sum(-1).mean() / 2 + math.log(2 * math.pi / wide)
    assert loss == pytest.approx(truth.item(), abs=1e-6)


def test_that_implicit_score_matching_is_half_the_fisher_divergence_less_a_constant(rng):
    t = torch.linspace(-9, 9, 200_001, dtype=torch.float64).requires_grad_()
    log_p = torch.logsumexp(
        torch.stack([-2 * (t + 1).square() + math.log(1.2), -((t - 1.2) / 0.7).square() / 2 + math.log(0.4 / 0.7)]), 0
    )
    (score,) = torch.autograd.grad(log_p.sum(), t)
    p = log_p.softmax(0).detach()

    def energy(x):
        return (2 * x).sin().sum(-1) + 0.3 * x.square().sum(-1)

    (slope,) = torch.autograd.grad(energy(t.unsqueeze(-1)).sum(), t)
    half_fisher = (p * (slope + score).square()).sum() / 2
    constant = (p * score.square()).sum() / 2

    n = 100_000  # quantiles: a batch whose mean is a quadrature
    quantiles = torch.searchsorted(p.cumsum(0), (torch.arange(n, dtype=torch.float64) + 0.5) / n)
    batch = Batch(t.detach()[quantiles].unsqueeze(-1), WINDOW)
    terms, _ = ImplicitScoreMatching().loss(energy, batch, None, rng)
    assert terms.value.item() == pytest.approx((half_fisher - constant).item(), abs=2e-4)
    assert terms.value < 0


def test_that_with_relu_implicit_score_matching_sees_no_curvature(rng):
    net = MLP(width=8, activation="relu", confinement=0.0).build(rng).double()
    terms, _ = ImplicitScoreMatching().loss(net, batch_of(50, rng), None, rng)
    assert terms.value >= 0


def test_that_noise_fills_the_axes_that_its_centre_leaves_out(rng):
    noise = GaussianNoise(mean=(1.0,), width=2.0)
    x = noise.sample(50_000, rng, torch.zeros(1, 3, dtype=torch.float64))
    assert (x.mean(0) - torch.tensor([1.0, 0, 0])).abs().max() < 0.04
    law = torch.distributions.Normal(torch.tensor([1.0, 0, 0], dtype=torch.float64), 2.0)
    torch.testing.assert_close(noise.log_density(x), law.log_prob(x).sum(-1))
    with pytest.raises(BadInput, match="1 coordinates"):
        GaussianNoise(mean=(0.0, 1.0)).sample(2, rng, torch.zeros(1, 1))


def exact_gradient(net, x):
    """The gradient of the likelihood by a lattice of the test's own."""

    points, _ = plane(9.0, 128)
    weights = (-net(points)).softmax(0).detach()
    return flat(torch.autograd.grad(net(x).mean() - weights @ net(points), list(net.parameters())))


def flat(gradient):
    return torch.cat([g.flatten() for g in gradient])


def alignment(estimator, net, batch, rng, memory=None):
    terms, _ = estimator.loss(net, batch, memory, rng)
    gradient = flat(torch.autograd.grad(terms.loss, list(net.parameters())))
    return torch.cosine_similarity(gradient, exact_gradient(net, batch.x), dim=0).item()


def test_that_gradients_point_along_the_exact_one_where_the_theory_says_so(rng):
    net = MLP(width=16, confinement=0.5).build(rng).double()
    z = torch.randn(3000, 2, generator=rng, dtype=torch.float64)
    batch = Batch(torch.stack([z[:, 0] + 1, z[:, 1] / 2 + z[:, 0].square() / 2 - 1], -1), WINDOW)
    mala = MetropolisLangevin(step_size=0.5)

    assert alignment(MaximumLikelihood(), net, batch, rng) > 1 - 1e-9
    assert alignment(ContrastiveDivergence(steps=1, sampler=ExactSampler()), net, batch, rng) > 0.99
    assert alignment(ContrastiveDivergence(steps=80, sampler=mala), net, batch, rng) > 0.99

    pcd = PersistentContrastiveDivergence(steps=80, restart=0.0, sampler=mala)
    assert alignment(pcd, net, batch, rng, pcd.init(net, batch, rng)) > 0.99

    noise = GaussianNoise(width=2.0)
    for weighted in (
        ImportanceSampledLikelihood(samples=20_000, noise=noise),
        JarzynskiReweighting(walkers=8192, steps=3, start=noise),
    ):
        assert alignment(weighted, net, batch, rng, weighted.init(net, batch, rng)) > 0.99


def test_that_nce_trains_its_constant_along_with_the_energy(rng):
    estimator, batch, a = NoiseContrastiveEstimation(), Batch(isotropic(2000, 1.0, rng), WINDOW), scalar(0.5)
    memory = estimator.init(bowl(a), batch, rng)
    start = memory.item()
    optimizer = torch.optim.Adam([a, *estimator.learnt(memory)], lr=0.05)
    for _ in range(80):
        terms, memory = estimator.loss(bowl(a), batch, memory, rng)
        optimizer.zero_grad()
        terms.loss.backward()
        optimizer.step()

    assert start == pytest.approx(math.log(2 * math.pi / 0.5), abs=0.2)
    assert a.item() == pytest.approx(1.0, abs=0.1)
    assert terms.log_z.item() == pytest.approx(math.log(2 * math.pi), abs=0.1)
    assert not terms.log_z.requires_grad


def test_that_unit_directions_would_learn_the_wrong_precision(rng):
    x = isotropic(1000, 1.3, rng)
    terms = []
    for a in (0.0, 1.0):
        energy = quadratic(a * torch.eye(2, dtype=torch.float64))
        state = rng.get_state()
        terms.append(SlicedScoreMatching(projection="sphere").loss(energy, Batch(x, WINDOW), None, rng)[0].value)
        rng.set_state(state)
    # The loss is a²m/2 - ta, with m = 2.6 and t the trace as the directions measure it; its optimum is t/m.
    trace = 2.6 / 2 - (terms[1] - terms[0])
    assert trace.item() == pytest.approx(2.0, abs=1e-9)
    assert trace.item() / 2.6 == pytest.approx(1 / 1.3, abs=1e-9)


@pytest.mark.parametrize("variance_reduction", ["antithetic", "taylor"])
def test_that_variance_reduction_leaves_the_gradient_of_denoising_where_it_was(variance_reduction, rng):
    net, batch = MLP(width=8).build(rng).double(), batch_of(50_000, rng)

    def gradient(which):
        terms, _ = DenoisingScoreMatching(sigma=0.5, variance_reduction=which).loss(net, batch, None, rng)
        return flat(torch.autograd.grad(terms.loss, [p for n, p in net.named_parameters() if n != "head.bias"]))

    plain, reduced = gradient("none"), gradient(variance_reduction)
    assert torch.cosine_similarity(plain, reduced, dim=0) > 0.999
    assert (plain.norm() / reduced.norm()).item() == pytest.approx(1.0, abs=0.02)
