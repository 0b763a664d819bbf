"""Sweeps: one recipe over the values of its knobs, on all cores or a cluster, resumed where it was killed."""

from ebmlab.session.sweep.drive import sweep
from ebmlab.session.sweep.executors import cluster, cores, processes
from ebmlab.session.sweep.file import load_sweep, loads_sweep
from ebmlab.session.sweep.folder import Folder, read_tried
from ebmlab.session.sweep.plan import checked, forecast, said
from ebmlab.session.sweep.spec import Axis, Sweep, Trial

__all__ = [
    "Axis",
    "Folder",
    "Sweep",
    "Trial",
    "checked",
    "cluster",
    "cores",
    "forecast",
    "load_sweep",
    "loads_sweep",
    "processes",
    "read_tried",
    "said",
    "sweep",
]
