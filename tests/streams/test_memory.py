"""Memory that is free is given back."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import threading
import weakref
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from tallystick.app import run
from tallystick.store import Packed
from tallystick.streams import memory
from tallystick.streams import snapshots as module
from tallystick.streams.memory import trim_memory
from tallystick.streams.snapshots import Snapshots

BLOCK = 64 << 10  # bytes: what lies in a heap


def resident() -> int:
    """Return the bytes of memory that this process has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.skipif(
    not sys.platform.startswith("linux") or not hasattr(ctypes.CDLL(None), "malloc_trim"),
    reason="needs glibc",
)
def test_what_is_free_between_what_is_used_is_given_back() -> None:
    blocks = [np.ones(BLOCK, np.uint8) for _ in range(2000)]
    last = blocks[-1]
    del blocks[::2], blocks[-1]
    blocks = blocks[::8]
    before = resident()
    trim_memory()
    assert before - resident() > 1000 * BLOCK // 2
    assert last.all()


HEAPS = """
import ctypes, sys, threading
from tallystick.streams.memory import limit_heaps
limit_heaps()
libc, together = ctypes.CDLL(None), threading.Barrier(13)
libc.malloc.restype = libc.fopen.restype = ctypes.c_void_p
def work():
    libc.malloc(1000)
    together.wait()
    together.wait()
for _ in range(12):
    threading.Thread(target=work).start()
together.wait()
file = ctypes.c_void_p(libc.fopen(sys.argv[1].encode(), b"w"))
libc.malloc_info(0, file)
libc.fclose(file)
together.wait()
"""


@pytest.mark.skipif(not hasattr(ctypes.CDLL(None), "mallopt"), reason="needs glibc")
@pytest.mark.parametrize(("wanted", "heaps"), [(None, 2), ("3", 3)])
def test_all_threads_share_two_heaps_or_as_many_as_are_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str | None, heaps: int
) -> None:
    monkeypatch.delenv("MALLOC_ARENA_MAX", raising=False)
    if wanted is not None:
        monkeypatch.setenv("MALLOC_ARENA_MAX", wanted)
    subprocess.run([sys.executable, "-c", HEAPS, str(tmp_path / "said")], check=True)
    assert (tmp_path / "said").read_text().count("<heap nr=") == heaps


def test_the_command_has_few_heaps(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(memory, "limit_heaps", lambda: asked.append(True))
    assert run(["stream", "fraud", "--source", "-", "--sink", "-", "--json", "--model", "none"]) == 2
    assert asked == [True]


def test_the_state_is_free_at_once_and_what_was_packed_once_it_is_kept() -> None:
    kept: list[Any] = []
    may = threading.Event()

    def save(number: int, packed: Packed) -> None:
        assert may.wait(20)
        kept.append(np.frombuffer(pa.decompress(packed.parts[0].data, 8000, codec="zstd"), np.int64))

    claim: Any = SimpleNamespace(save_snapshot=save)
    snapshots = Snapshots(claim, every=1, ready=lambda: 1, add_note=lambda _: None)
    snapshots.start()
    state = np.ones(1000, np.int64)
    held = weakref.ref(state)
    assert snapshots.wanted(1)
    snapshots.put(1, {"a": state})
    state[:] = 2  # the stream goes on
    del state
    gc.collect()
    assert held() is None
    may.set()
    while snapshots.number < 1 or snapshots.busy:
        pass
    assert kept[0].tolist() == [1] * 1000
    gc.collect()
    assert not [one for one in gc.get_objects() if isinstance(one, Packed)]  # while it waits for the next one
    snapshots.finish()


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set whenever memory is given back, which is looked at soon."""
    event = threading.Event()
    monkeypatch.setattr(module, "WAIT", 0.01)
    monkeypatch.setattr(module, "trim_memory", event.set)
    return event


def test_memory_is_given_back_where_no_snapshot_is_due_too(
    monkeypatch: pytest.MonkeyPatch, given: threading.Event
) -> None:
    monkeypatch.setattr(module, "TRIM_EVERY", 0.01)
    nothing: Any = SimpleNamespace()
    snapshots = Snapshots(nothing, every=1, ready=lambda: 0, add_note=lambda _: None)
    snapshots.start()
    assert given.wait(20)
    snapshots.finish()


def test_memory_is_given_back_after_many_events(
    monkeypatch: pytest.MonkeyPatch, given: threading.Event
) -> None:
    monkeypatch.setattr(module, "TRIM_EVENTS", 100)
    nothing: Any = SimpleNamespace()
    snapshots = Snapshots(nothing, every=1000, ready=lambda: 0, add_note=lambda _: None)
    snapshots.start()
    snapshots.wanted(99)
    assert not given.wait(0.2)
    snapshots.wanted(1)
    assert given.wait(20)
    given.clear()
    assert not given.wait(0.2)  # it counts anew
    snapshots.finish()
