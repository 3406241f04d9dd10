"""Slices of rows on several threads, for work that is independent by row."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["in_slices"]


def in_slices(work: Callable[[int, int], None], rows: int, threads: int, least: int) -> None:
    """Do work(first, last) on slices of rows, each on a thread; below `least` rows one is enough.

    >>> done = []
    >>> in_slices(lambda first, last: done.append((first, last)), 10, threads=1, least=4)
    >>> done
    [(0, 10)]
    """
    slices = min(threads * 4, rows // least) if threads > 1 else 1
    if slices < 2:
        work(0, rows)
        return
    cuts = [rows * i // slices for i in range(slices + 1)]
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, cuts[:-1], cuts[1:]))
