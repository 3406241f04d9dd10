import threading
from collections.abc import Iterator

import numpy as np
import pyarrow as pa
import pytest

from tallystick.connectors import Chunk
from tallystick.engines.local import ENGINE
from tallystick.errors import DataError


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


@pytest.mark.parametrize("threads", [1, 2, 5])
@pytest.mark.parametrize("ahead", [True, False])
def test_results_of_splits_come_in_the_order_of_the_input(threads: int, ahead: bool) -> None:
    splits = [Numbers(range(10 * i, 10 * i + 10), small=i % 2 == 0) for i in range(6)]
    results = ENGINE.run(lambda chunk: int(chunk.records[0]), splits, threads, ahead=ahead)
    assert list(results) == list(range(60))


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


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("small", [True, False])
def test_an_error_in_reading_comes_out(threads: int, small: bool) -> None:
    class Broken(Numbers):
        def chunks(self) -> Iterator[Chunk]:
            yield from super().chunks()
            raise DataError("It breaks off.")

    with pytest.raises(DataError, match="breaks off"):
        list(ENGINE.run(lambda _: 1, [Broken(range(3), small=small)], threads))
