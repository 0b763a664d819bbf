from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ebmlab.engine.energies.base import EnergySpec
from ebmlab.engine.energies.vae import VAE, VAENet
from ebmlab.engine.estimators.base import ESTIMATORS, Batch, Estimator, Terms
from ebmlab.engine.types import Energy, Rng, Stage, Stages, randn
from ebmlab.spec import knob


@ESTIMATORS.register("elbo")
@dataclass(frozen=True, kw_only=True)
class EvidenceLowerBound(Estimator):
    r"""Evidence lower bound (ELBO), or the importance-weighted one.

    .. math:: L_K = -\mathbb{E}_{p} \, \mathbb{E}_{z_j \sim q_\phi(z \mid x)} \log \frac{1}{K}
        \sum_{j=1}^{K} \frac{p_\theta(x \mid z_j) \, p(z_j)}{q_\phi(z_j \mid x)}

    .. math:: -L_1 \le -L_K \le \mathbb{E}_p \log p_\theta(x)

    It trains the decoder and the encoder of a variational autoencoder without its likelihood. With one sample the gap
    is :math:`\mathrm{KL}(q_\phi(z \mid x) \,\|\, p_\theta(z \mid x))`, so the decoder shuns whatever the encoder cannot
    follow. More samples close the gap and give that freedom back, while the encoder's own gradient drowns in noise.

    References:
        | Auto-encoding variational Bayes (Kingma & Welling, 2014)
        | https://arxiv.org/abs/1312.6114
        | Importance weighted autoencoders (Burda, Grosse & Salakhutdinov, 2016)
        | https://arxiv.org/abs/1509.00519
        | Tighter variational bounds are not necessarily better (Rainforth, Kosiorek, Le, Maddison, Igl, Wood & Teh, 2018)
        | https://arxiv.org/abs/1802.04537
    """  # noqa: E501

    objective: ClassVar[str] = "−ELBO"

    samples: int = knob(
        1, "Draws K from the encoder for each data point.", low=1, high=10_000, soft=(1, 100), scale="log", symbol="K"
    )

    def refusal(self, energy: EnergySpec) -> str:
        return "" if isinstance(energy, VAE) else f"the {energy.kind} energy has no encoder; choose the vae energy"

    def stages(self, energy: Energy, batch: Batch, memory: None, rng: Rng) -> Stages[tuple[Terms, None]]:
        assert isinstance(energy, VAENet)  # the recipe refuses others
        yield Stage("data", "The encoder guesses which latent values the data came from.", batch.x)
        if self.samples == 1:
            bound = energy.elbo(batch.x, randn((len(batch.x), energy.spec.latent), rng, batch.x))
        else:
            bound = energy.iwae(batch.x, self.samples, rng)
        yield Stage("positive", "The density rises where the decoder puts the data back.", batch.x)
        loss = -bound.mean()
        return Terms(loss, value=loss.detach()), None
