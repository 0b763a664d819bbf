"""A desktop lab for energy-based models: every approximation beside the exact answer, live."""

__version__ = "0.1.0"
