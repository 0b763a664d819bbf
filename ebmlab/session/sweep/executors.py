"""Who does the work: processes of this machine, or a cluster."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing.connection import Connection

from ebmlab.spec import BadInput

DASK = "dask://"


@contextmanager
def processes(jobs: int) -> Iterator[Executor]:
    """Gives an executor of some processes, each on one core; all of them end with this one, however that ends."""

    context = multiprocessing.get_context("spawn")  # the one way that all systems have, and that is safe with torch
    ear, mouth = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(jobs, context, _begin, (ear,))
    others = multiprocessing.active_children()
    with _uninterrupted():
        pool.submit(int)  # which starts them all
    workers = [child for child in multiprocessing.active_children() if child not in others]
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        for worker in workers:
            worker.terminate()
        raise
    finally:
        mouth.close()
        pool.shutdown(cancel_futures=True)
        ear.close()


def cores() -> int:
    """Returns how many cores this process may use."""

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def cluster(address: str, seconds: float = 10.0) -> Iterator[Executor]:
    """Gives the executor of a Dask cluster, by the address of its scheduler: ``dask://HOST:PORT``.

    Raises:
        BadInput: If distributed is not installed, or no scheduler answers.
        BrokenExecutor: If the cluster gives up the work.
    """

    host = address.removeprefix(DASK)
    if not address.startswith(DASK) or not host:
        raise BadInput("this is no cluster; give dask://HOST:PORT", key="--executor", source=address[:80])
    try:
        from distributed import Client, KilledWorker
    except ImportError:
        raise BadInput('distributed is missing; pip install "ebmlab[cluster]"', key="--executor") from None
    try:
        client = Client(f"tcp://{host}", timeout=seconds)
    except (OSError, ValueError):
        raise BadInput("no Dask scheduler answers there; start one, or mend the address", source=address[:80]) from None
    with client, client.get_executor() as executor:
        try:
            yield executor
        except (KilledWorker, CancelledError):  # by the cluster, or by the loss of its scheduler
            raise BrokenExecutor(f"{address} has given up") from None


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Keeps Ctrl+C from the processes that are started meanwhile, before they can see to that themselves."""

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)


def _begin(ear: Connection) -> None:
    """Readies a worker: it leaves Ctrl+C to its parent, ends with it, and has torch's slow imports behind it."""

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, args=(ear,), daemon=True).start()
    import torch

    torch.set_num_threads(1)
    torch.optim.Adam([torch.zeros(1)])


def _end_with_parent(ear: Connection) -> None:
    try:
        ear.recv_bytes()
    except (EOFError, OSError):
        os._exit(0)
