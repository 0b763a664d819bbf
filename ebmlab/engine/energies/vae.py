from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor, nn

from ebmlab.engine.energies.base import ENERGIES, EnergyNet, Normalised, NormalisedNet
from ebmlab.engine.energies.gaussians import PACE, Sum
from ebmlab.engine.flows import HALF_LOG_TAU, seeded
from ebmlab.engine.types import Rng, randn
from ebmlab.spec import knob

REACH = 6.0
"""The quadrature covers the latent variable up to here; 2e-9 of its prior lies beyond."""

DRAWS = 50
"""Draws of the importance-weighted bound that is shown."""

FINE = 2048
"""Nodes with which the marginal over two latent variables is good to a thousandth of a nat at single points."""

LOG_RANGE = 7.0
"""The encoder's standard deviations stay within this many factors of e of 1."""


@ENERGIES.register("vae")
@dataclass(frozen=True, kw_only=True)
class VAE(Normalised):
    r"""Variational autoencoder (VAE).

    .. math:: p_\theta(x) = \int \mathcal{N}(x; m_\theta(z), S) \, \mathcal{N}(z; 0, I) \, dz, \qquad
        S = \operatorname{diag}(s_1^2, \dots, s_d^2)

    .. math:: \log p_\theta(x) \ge \mathbb{E}_{q_\phi(z \mid x)} \log p_\theta(x \mid z)
        - \mathrm{KL}(q_\phi(z \mid x) \,\|\, p(z))

    A decoder m turns a latent variable z, of a law chosen beforehand, into data with noise of learnt width. Its
    likelihood is an integral over z, out of reach when z is long; an encoder q stands for the posterior, and the bound
    that it gives (the ELBO) falls short of the likelihood by :math:`\mathrm{KL}(q_\phi(z \mid x) \,\|\,
    p_\theta(z \mid x))`. Here z is short, and the integral is done on an even lattice: energy, log Z and every exact
    figure are those of the marginal itself, beside the bounds. As a sum of Gaussians it is normalised however coarse
    the lattice.

    With one latent variable it is a curve with noise around it, blind to what fills an area; modes that lie apart stay
    joined by a thin bridge. The lattice must be finer than the posterior, or the marginal is that of a nearby mixture:
    over one latent variable the default is good to a millionth, over two to some hundredths of a nat at single points.

    References:
        | Auto-encoding variational Bayes (Kingma & Welling, 2014)
        | https://arxiv.org/abs/1312.6114
        | Importance weighted autoencoders (Burda, Grosse & Salakhutdinov, 2016)
        | https://arxiv.org/abs/1509.00519
    """

    size: ClassVar[str] = "width"

    latent: int = knob(1, "Latent variables.", low=1, high=2, live=False)
    width: int = knob(64, "Units in each hidden layer.", low=1, high=1024, scale="log", live=False)
    depth: int = knob(2, "Hidden layers of the encoder, and of the decoder.", low=1, high=8, live=False)
    noise: float = knob(
        1.0,
        "Standard deviation of the decoder's noise at the start.",
        low=1e-4,
        high=1e3,
        soft=(0.01, 10.0),
        scale="log",
        symbol="s",
        live=False,
    )
    nodes: int = knob(
        512,
        "Points of the lattice over the latent variable; eight times as many in all over two.",
        low=16,
        high=65536,
        soft=(64, 4096),
        scale="log",
    )

    def caution(self) -> str:
        rough = self.latent == 2 and self.nodes < FINE
        return f"over two latent variables the marginal is rough at single points: give {FINE} nodes" if rough else ""

    def build(self, rng: Rng, dim: int = 2) -> EnergyNet:
        return VAENet(self, rng, dim)


class VAENet(NormalisedNet):
    """The network of :class:`VAE`."""

    def __init__(self, spec: VAE, rng: Rng, dim: int) -> None:
        super().__init__(spec)
        self.decoder = perceptron(spec.latent, dim, [spec.width] * spec.depth, rng)
        self.encoder = perceptron(dim, 2 * spec.latent, [spec.width] * spec.depth, rng)
        self.paced_log_noise = nn.Parameter(torch.full((dim,), math.log(spec.noise) / PACE))

    @property
    def log_noise(self) -> Tensor:
        """The logarithms of the standard deviations of the decoder's noise, with shape (d)."""

        return PACE * self.paced_log_noise

    def log_density(self, x: Tensor) -> Tensor:
        return self._sum().log_density(x)

    def value_and_grad(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self._sum().energy_and_grad(x)

    @torch.no_grad()
    def sample(self, n: int, rng: Rng) -> Tensor:
        x = self.decoder(randn((n, self.spec.latent), rng, self.paced_log_noise))
        return x + self.log_noise.exp() * randn(x.shape, rng, x)

    def posterior(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Returns the encoder's means and log standard deviations, each with shape (*, latent)."""

        mean, bend = self.encoder(x).chunk(2, -1)
        return mean, LOG_RANGE * torch.tanh(bend / LOG_RANGE)

    def elbo(self, x: Tensor, noise: Tensor) -> Tensor:
        """Returns one draw of the evidence lower bound of points, with shape (*), from noise with shape (*, latent)."""

        mean, log_width = self.posterior(x)
        divergence = (mean.square() + torch.exp(2 * log_width) - 1).sum(-1) / 2 - log_width.sum(-1)
        return self._log_decoded(x, mean + log_width.exp() * noise) - divergence

    def iwae(self, x: Tensor, k: int, rng: Rng) -> Tensor:
        r"""Returns one draw of the importance-weighted bound of points, with shape (*).

        .. math:: \log \frac{1}{k} \sum_{j=1}^{k} \frac{p_\theta(x \mid z_j) \, p(z_j)}{q_\phi(z_j \mid x)}, \qquad
            z_j \sim q_\phi(z \mid x)
        """

        return torch.logsumexp(self._log_ratios(x, k, rng), 0) - math.log(k)

    @torch.no_grad()
    def bounds(self, x: Tensor, rng: Rng) -> dict[str, float]:
        # The same draws for both, so that the one is below the other at every point, as Jensen's inequality has it.
        ratios = self._log_ratios(x, DRAWS, rng)
        together = torch.logsumexp(ratios, 0) - math.log(DRAWS)
        return {"ELBO": ratios.mean().item(), f"IWAE {DRAWS}": together.mean().item()}

    def _log_ratios(self, x: Tensor, k: int, rng: Rng) -> Tensor:
        """Returns the log importance weights of draws of the latent, with shape (k, *)."""

        mean, log_width = self.posterior(x)
        noise = randn((k, *mean.shape), rng, x)
        z = mean + log_width.exp() * noise
        log_ratio = (noise.square() - z.square()).sum(-1) / 2 + log_width.sum(-1)
        return self._log_decoded(x, z) + log_ratio

    def named_figures(self) -> dict[str, float]:
        return {f"s{i + 1}": value for i, value in enumerate(self.log_noise.detach().exp().tolist())}

    def _sum(self) -> Sum:
        z, log_weights = lattice(self.spec.latent, self.spec.nodes, self.paced_log_noise)
        return Sum(self.decoder(z), log_weights, self.log_noise)

    def _log_decoded(self, x: Tensor, z: Tensor) -> Tensor:
        log_noise = self.log_noise
        y = (x - self.decoder(z)) * torch.exp(-log_noise)
        return y.square().sum(-1) / -2 - log_noise.sum() - x.shape[-1] * HALF_LOG_TAU


def perceptron(inputs: int, outputs: int, hidden: list[int], rng: Rng) -> nn.Module:
    """Makes a smooth network of several outputs."""

    from zuko.nn import MLP  # slow to import

    return seeded(lambda: MLP(inputs, outputs, hidden, activation=nn.SiLU), rng)


def lattice(latent: int, nodes: int, like: Tensor) -> tuple[Tensor, Tensor]:
    """Returns points of the latent space, with shape (k, latent), and the logarithms of their weights, which sum to 1.

    It is the trapezoid rule for means under the standard normal law.
    """

    side = nodes if latent == 1 else round(math.sqrt(8 * nodes))
    axis = torch.linspace(-REACH, REACH, side, dtype=like.dtype, device=like.device)
    z = torch.cartesian_prod(*[axis] * latent).view(-1, latent)
    return z, torch.log_softmax(z.square().sum(-1) / -2, 0)
