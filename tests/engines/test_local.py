import threading
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from tallystick.connectors import Chunk
from tallystick.engines.local import ENGINE


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_come_in_order(threads: int) -> None:
    assert list(ENGINE.map(lambda x: x * x, iter(range(100)), threads)) == [x * x for x in range(100)]


def test_never_more_in_flight_than_threads_and_one() -> None:
    taken = 0

    def items() -> Iterator[int]:
        nonlocal taken
        for i in range(50):
            taken += 1
            yield i

    for done, _ in enumerate(ENGINE.map(lambda x: x, items(), 2)):
        assert taken - done <= 3


def test_work_runs_on_several_threads_at_once() -> None:
    barrier = threading.Barrier(2, timeout=30)
    assert list(ENGINE.map(lambda _: barrier.wait() >= 0, range(2), 2)) == [True, True]


@pytest.mark.parametrize("threads", [1, 2])
def test_an_error_in_the_work_comes_out(threads: int) -> None:
    with pytest.raises(ZeroDivisionError):
        list(ENGINE.map(lambda x: 1 // x, [1, 2, 0, 3], threads))


class Numbers:
    """A split of numbers, in chunks of one."""

    def __init__(self, numbers: range, *, small: bool) -> None:
        self.numbers, self.small = numbers, small

    def chunks(self) -> Iterator[Chunk]:
        for number in self.numbers:
            yield Chunk(pa.record_batch({"n": [number]}), "numbers", np.array([number]))


def test_large_splits_are_not_held_in_memory() -> None:
    read = 0

    class Counted(Numbers):
        def chunks(self) -> Iterator[Chunk]:
            nonlocal read
            for chunk in super().chunks():
                read += 1
                yield chunk

    results = ENGINE.run(lambda _: 1, [Counted(range(1000), small=False)], 2)
    for done, _ in zip(range(500), results, strict=False):
        assert read - done <= 5
    results.close()  # type: ignore[attr-defined]
