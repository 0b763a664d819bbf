"""Energies: networks, basis expansions, formulas. A new one is a file here and an import below."""

from ebmlab.engine.energies.base import ENERGIES, EnergyNet, EnergySpec, count
from ebmlab.engine.energies.mlp import MLP

__all__ = ["ENERGIES", "MLP", "EnergyNet", "EnergySpec", "count"]
