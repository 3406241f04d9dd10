"""Notifier: sends the notices that are due in an outbox and records the outcome, until it is stopped."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from tallystick.connectors.http_post import back_off
from tallystick.notify.channel import RefusedError, Say
from tallystick.notify.lane import Lane, Outcome
from tallystick.notify.message import Message
from tallystick.notify.notify import Notify
from tallystick.notify.outbox import Notice, Outbox
from tallystick.notify.pace import Pace
from tallystick.notify.payload import clean

__all__ = ["Notifier"]

SECOND = 1_000_000
DAY = 86_400 * SECOND
MOST = 10_000  # notices looked at together, and told together at most
PART = 500  # notices settled in one transaction, so that commits of the stream do not wait for long
BURST = 500  # messages handed to a channel together
POLL = 0.5  # seconds
PATIENCE = 0.25  # seconds for which a step waits for its messages
GRACE = 10.0  # seconds for what is on its way when the notifier is stopped
TROUBLE = 5.0  # seconds to wait after the outbox failed
LONGEST_REST = 60.0  # seconds after which a channel that failed is tried with what is new
# A notice is given up when it is a day old, but not before it was tried for an hour or so.
OLDEST = DAY
LEAST_TRIES = 12

_Key = tuple[str, str]


class Notifier:
    """Sends what waits in an outbox: at least once, each channel for itself.

    A failure is tried again after 1, 2, 4 … seconds, up to 10 minutes, half of each drawn by chance, or when
    the receiver says. What it refuses, or what is a day old and was tried at least 12 times, is dead: kept,
    with its last error. Notices, tries and times are the outbox's, so a restart loses none of them; what was
    sent, but not yet settled, goes again with the same key. What is held back for a group stays so over a
    restart.

    source: who sends, as receivers see it (the name of a stream), part of each key; say: shows lines of the
    console; clock: microseconds UTC; sleep: waits up to some seconds. `counts` has, by channel, notices that
    were sent, tries that failed and notices that are dead, since this notifier began.
    """

    def __init__(
        self,
        notify: Notify,
        outbox: Outbox,
        *,
        source: str = "tallystick",
        clock: Callable[[], int] | None = None,
        sleep: Callable[[float], None] | None = None,
        say: Say | None = None,
    ) -> None:
        self.counts: dict[str, dict[str, int]] = {
            name: {"sent": 0, "failed": 0, "dead": 0} for name in notify.channels
        }
        self._outbox, self._source = outbox, clean(source, 60)
        self._clock = clock or (lambda: time.time_ns() // 1000)
        self._bell = threading.Event()
        self._sleep = sleep or self._listen
        self._told: SimpleQueue[tuple[str, Message | None, Outcome]] = SimpleQueue()
        self._lanes = {
            name: Lane(channel, say or _to_stderr, self._hear) for name, channel in notify.channels.items()
        }
        self._paces: dict[_Key, Pace] = {
            (rule.channel, rule.name): Pace(rule.group, rule.limit) for rule in notify.rules
        }
        self._under_way: dict[str, set[int]] = {name: set() for name in self._lanes}
        self._rests: dict[str, int] = {}  # until when a channel that failed is left alone
        self._faults: dict[str, int] = {}  # failures of a channel in a row
        self._flooded: set[_Key] = set()  # groups of which a message could not tell all that is due
        self._done: list[int] = []
        self._failed: list[tuple[int, int, str]] = []
        self._dead: list[tuple[int, str]] = []
        self._begun = False

    def wake(self) -> None:
        """Let `run` look at the outbox now, from any thread: after a commit that put notices into it."""
        self._bell.set()

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set, then what is due and on its way, for at most 10 seconds."""
        while not stop.is_set():
            ends = time.monotonic() + self._try_step()
            while not stop.is_set() and not self._bell.is_set() and (rest := ends - time.monotonic()) > 0:
                self._sleep(min(rest, 0.1))
            self._bell.clear()
        ends = time.monotonic() + GRACE
        while (self._try_step() == 0 or self._busy) and time.monotonic() < ends:
            self._sleep(0.02)
        self.close()

    def step(self, now: int) -> float:
        """Send what is due at `now`, microseconds UTC; return the seconds until there may be more to do.

        It waits for what it sends for a quarter of a second; what takes longer is settled by a later step.
        """
        self._collect(now)
        if not self._begun:
            self._resume(now)
            self._begun = True
        # What is under way is still due there, and must not keep the rest out of sight.
        most = MOST + sum(map(len, self._under_way.values()))
        page = self._outbox.due(now, most)
        full = len(page) >= most
        more, until = False, now + int(POLL * SECOND)
        for channel, notices in self._by_channel(page).items():
            lane = self._lanes.get(channel)
            if lane is None:
                gone = "the file of notifications has no such channel any more"
                self._bury(channel, [notice.id for notice in notices], gone)
            elif lane.busy:
                if full:  # or they would keep those of other channels out of sight
                    self._hold(notices, now + 2 * SECOND)
            elif (rests := self._rests.get(channel, 0)) > now:
                self._hold(notices, min(rests, now + int(3600 * SECOND)))
                until = min(until, rests)
            else:
                messages, held = self._plan(channel, notices, now, full=full)
                until = min(until, held or until)
                more = more or len(messages) > BURST
                if messages:
                    self._under_way[channel] |= {n.id for m in messages[:BURST] for n in m.notices}
                    lane.send(messages[:BURST])
        self._settle()
        self._wait(now)
        if self._busy:
            return PATIENCE
        return 0.0 if more or full else max(until - now, 0) / SECOND

    def close(self) -> None:
        """Let the channels' threads end, for good; what is under way goes again another time."""
        for lane in self._lanes.values():
            lane.close(0 if lane.busy else 1.0)

    @property
    def _busy(self) -> bool:
        return any(lane.busy for lane in self._lanes.values())

    def _try_step(self) -> float:
        """Step; an outbox that fails is a passing trouble, and nothing is lost by waiting."""
        try:
            return self.step(self._clock())
        except Exception as error:
            logging.getLogger("tallystick").warning(
                "Notifications wait: %s", clean(f"{type(error).__name__}: {error}")
            )
            return TROUBLE

    def _listen(self, seconds: float) -> None:
        self._bell.wait(seconds)

    def _hear(self, channel: str, message: Message | None, outcome: Outcome) -> None:
        """Hear from a lane's thread."""
        self._told.put((channel, message, outcome))
        self._bell.set()

    def _by_channel(self, page: Sequence[Notice]) -> dict[str, list[Notice]]:
        found: dict[str, list[Notice]] = {}
        nobody: set[int] = set()
        for notice in sorted(page, key=lambda one: one.id):
            if notice.id not in self._under_way.get(notice.channel, nobody):
                found.setdefault(notice.channel, []).append(notice)
        return found

    def _plan(
        self, channel: str, notices: Sequence[Notice], now: int, *, full: bool
    ) -> tuple[list[Message], int]:
        """Return the messages that may go, oldest first, and when the first of those that may not is due."""
        rules: dict[str, list[Notice]] = {}
        for notice in notices:
            rules.setdefault(str(notice.payload.get("notice", "")), []).append(notice)
        messages: list[Message] = []
        soonest = 0
        for rule, due in rules.items():
            key = (channel, rule)
            parts, until = self._pace(key).plan(due, now)
            if until:
                self._hold(due, until)
                soonest = min(soonest or until, until)
            if full:
                self._flooded.add(key)
            else:
                self._flooded.discard(key)
            messages += [Message(self._source, channel, rule, part) for part in parts]
        messages.sort(key=lambda message: message.notices[0].id)
        return messages, soonest

    def _pace(self, key: _Key) -> Pace:
        """Return the pace of a rule; one that the file has no more goes as it comes."""
        return self._paces.get(key) or Pace()

    def _hold(self, notices: Sequence[Notice], until: int) -> None:
        self._failed += [(notice.id, until, "") for notice in notices]

    def _bury(self, channel: str, ids: Sequence[int], why: str) -> None:
        self._dead += [(each, why) for each in ids]
        self._counts(channel)["dead"] += len(ids)
        words = "%d notices for %s will not be sent; they are kept, with the reason: %s"
        logging.getLogger("tallystick").warning(words, len(ids), channel, why)

    def _counts(self, channel: str) -> dict[str, int]:
        return self.counts.setdefault(channel, {"sent": 0, "failed": 0, "dead": 0})

    def _wait(self, now: int) -> None:
        """Give what was just sent a moment, and settle it."""
        ends = time.monotonic() + PATIENCE
        while self._busy and (rest := ends - time.monotonic()) > 0:
            try:
                self._note(*self._told.get(timeout=rest), now)
            except Empty:
                break
        self._collect(now)

    def _collect(self, now: int) -> None:
        """Settle what lanes said meanwhile."""
        while True:
            try:
                self._note(*self._told.get_nowait(), now)
            except Empty:
                break
        self._settle()

    def _note(self, channel: str, message: Message | None, outcome: Outcome, now: int) -> None:
        """Keep what came of a message for the next settling."""
        if message is None:
            self._lanes[channel].busy = False
        elif outcome is None:
            self._done += [notice.id for notice in message.notices]
            self._counts(channel)["sent"] += message.count
            self._faults.pop(channel, None)
            self._rests.pop(channel, None)
            key = (channel, message.rule)
            if key not in self._flooded:
                self._pace(key).sent(now)
        elif isinstance(outcome, RefusedError):
            self._bury(channel, [notice.id for notice in message.notices], outcome.message)
        else:
            self._fail(channel, message, outcome.message, outcome.pause, now)

    def _fail(self, channel: str, message: Message, why: str, pause: float, now: int) -> None:
        faults = self._faults[channel] = self._faults.get(channel, 0) + 1
        own = max(pause, back_off(max(notice.tries for notice in message.notices) + 1))
        # Nothing of the channel goes before then; what failed waits at least as long.
        rest = min(own, max(pause, back_off(faults, most=LONGEST_REST)))
        self._rests[channel] = now + int(rest * SECOND)
        again = now + int(own * SECOND)
        self._counts(channel)["failed"] += 1
        given_up = []
        for notice in message.notices:
            old = now - notice.created >= OLDEST and notice.tries + 1 >= LEAST_TRIES
            if old:
                given_up.append(notice.id)
            else:
                self._failed.append((notice.id, again, why))
        if given_up:
            self._bury(channel, given_up, why)
        if faults == 1:
            logging.getLogger("tallystick").warning("%s is tried again: %s", channel, why)

    def _settle(self) -> None:
        """Hand over what is known; it stays known here until the outbox has it."""
        while self._done or self._failed or self._dead:
            done, failed, dead = self._done[:PART], self._failed[:PART], self._dead[:PART]
            self._outbox.settle(done=done, failed=failed, dead=dead)
            settled = {*done, *(each for each, *_ in failed), *(each for each, _ in dead)}
            for ids in self._under_way.values():
                ids -= settled
            del self._done[:PART], self._failed[:PART], self._dead[:PART]
        for name, lane in self._lanes.items():
            if not lane.busy:  # what stood behind a failure was not tried
                self._under_way[name].clear()

    def _resume(self, now: int) -> None:
        """Let rules of which something is held back wait for it: its time is when the next message may go."""
        horizon = max((pace.horizon for pace in self._paces.values()), default=0)
        if not horizon:
            return
        ready = {notice.id for notice in self._outbox.due(now, MOST)}

        def held(at: int) -> set[_Key]:
            later = [notice for notice in self._outbox.due(at, MOST) if notice.id not in ready]
            return {(notice.channel, str(notice.payload.get("notice", ""))) for notice in later}

        for key in held(now + horizon):
            pace = self._paces.get(key)
            low, high = now, now + (pace.horizon if pace else 0)
            if pace is None or low == high or key not in held(high):
                continue
            while high - low > SECOND:
                middle = (low + high) // 2
                low, high = (low, middle) if key in held(middle) else (middle, high)
            pace.wait(high)


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
