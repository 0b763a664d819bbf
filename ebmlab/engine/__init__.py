"""Targets, energies, samplers, estimators and normalisers, and the oracle that they stand beside.

Torch only: no threads, no files, no clock. Importing it fills the registries.
"""
