"""Energies: networks, basis expansions, formulas. A new one is a file here and an import below."""

from ebmlab.engine.energies.base import ENERGIES, EnergyNet, EnergySpec, NormalisedNet, count
from ebmlab.engine.energies.formula import Formula
from ebmlab.engine.energies.mlp import MLP
from ebmlab.engine.energies.quadratic import Quadratic
from ebmlab.engine.energies.rbf import RBF

__all__ = ["ENERGIES", "MLP", "RBF", "EnergyNet", "EnergySpec", "Formula", "NormalisedNet", "Quadratic", "count"]
