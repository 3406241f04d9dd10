from __future__ import annotations

import gc
import sys

from tallystick.streams.interpreter import TURN, short_thread_turns


def test_turns_are_short_until_the_last_stream_has_ended() -> None:
    before = sys.getswitchinterval()
    first, second = short_thread_turns(), short_thread_turns()
    with first:
        assert sys.getswitchinterval() <= TURN
        assert gc.get_freeze_count()
        second.__enter__()
    assert sys.getswitchinterval() <= TURN
    assert gc.get_freeze_count()
    second.__exit__(None, None, None)
    assert sys.getswitchinterval() == before
    assert not gc.get_freeze_count()


def test_whoever_wants_shorter_ones_keeps_them() -> None:
    before = sys.getswitchinterval()
    try:
        sys.setswitchinterval(TURN / 2)
        with short_thread_turns():
            assert sys.getswitchinterval() < TURN
    finally:
        sys.setswitchinterval(before)
