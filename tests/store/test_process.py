"""Who holds a stream, as others see it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest

from tallystick.store.process import Process, _started, current_process

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says when a process began")


def test_this_process_lives_and_is_always_the_same() -> None:
    assert current_process() == current_process()
    assert not current_process().has_ended()


@linux
def test_a_process_that_ended_is_gone_even_before_its_parent_asks() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    seen = replace(current_process(), pid=child.pid, started=_started(child.pid) or "")
    assert not seen.has_ended()
    child.kill()
    assert child.stdin is not None
    child.stdin.close()
    subprocess.run(["sleep", "0.2"], check=True)
    assert seen.has_ended()
    child.wait()
    assert seen.has_ended()


@linux
def test_a_number_that_was_given_again_is_another_process() -> None:
    assert replace(current_process(), started="1").has_ended()


@pytest.mark.parametrize("machine", ["", "elsewhere"])
def test_of_another_machine_nothing_is_known(machine: str) -> None:
    assert not Process("other", machine, 1, "1").has_ended()
