"""Notifier: sends the notices that are due in an outbox and records the outcome, until it is stopped."""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue

from tallystick.connectors.http_post import back_off
from tallystick.notify.channel import PrintLine, RefusedError
from tallystick.notify.channel_worker import ChannelWorker, Failure
from tallystick.notify.message import Message
from tallystick.notify.notify import Notify
from tallystick.notify.outbox import Notice, Outbox
from tallystick.notify.payload import clean
from tallystick.notify.rate_limiter import RateLimiter

__all__ = ["Notifier"]

SECOND = 1_000_000
DAY = 86_400 * SECOND
MAX_NOTICES = 10_000  # notices read at once, and at most in one message
SETTLE_BATCH = 500  # notices settled per transaction, so that commits of the stream do not wait long
MESSAGES_PER_JOB = 500  # messages
POLL = 0.5  # seconds
PATIENCE = 0.25  # seconds that a step waits for its messages
GRACE = 10.0  # seconds for messages in flight when the notifier is stopped
OUTBOX_RETRY = 5.0  # seconds to wait after the outbox failed
MAX_CHANNEL_PAUSE = 60.0  # seconds after which a failed channel is tried again
# A notice is given up after a day, but not before about an hour of tries.
MAX_AGE = DAY
MIN_TRIES = 12

_Key = tuple[str, str]


class Notifier:
    """Sends the notices of an outbox at least once, each channel independently.

    A failure is retried after 1, 2, 4 … seconds, up to 10 minutes, with half of each at random, or when the
    receiver says. A notice that is refused, or is a day old and was tried at least 12 times, is dead: kept
    with its last error. The outbox stores notices, tries and times, so a restart loses nothing; what was sent
    but not settled is sent again with the same key. Notices delayed for a group stay delayed over a restart.

    source: the sender (name of a stream), part of each key; print_line: prints lines of the console; clock:
    microseconds UTC; sleep: waits up to some seconds. `counts` has, by channel, notices sent, tries failed
    and notices dead since the start.
    """

    def __init__(
        self,
        notify: Notify,
        outbox: Outbox,
        *,
        source: str = "tallystick",
        clock: Callable[[], int] | None = None,
        sleep: Callable[[float], None] | None = None,
        print_line: PrintLine | None = None,
    ) -> None:
        self.counts: dict[str, dict[str, int]] = {
            name: {"sent": 0, "failed": 0, "dead": 0} for name in notify.channels
        }
        self._outbox, self._source = outbox, clean(source, 60)
        self._clock = clock or (lambda: time.time_ns() // 1000)
        self._wake_event = threading.Event()
        self._sleep = sleep or self._wait_for_wake
        self._events: SimpleQueue[tuple[str, Message | None, Failure]] = SimpleQueue()
        self._workers = {
            name: ChannelWorker(channel, print_line or _to_stderr, self._on_event)
            for name, channel in notify.channels.items()
        }
        self._limiters: dict[_Key, RateLimiter] = {
            (rule.channel, rule.name): RateLimiter(rule.group, rule.limit) for rule in notify.rules
        }
        self._in_flight: dict[str, set[int]] = {name: set() for name in self._workers}
        self._paused_until: dict[str, int] = {}  # when a failed channel may be tried again
        self._failures_in_row: dict[str, int] = {}  # consecutive failures of a channel
        self._incomplete: set[_Key] = set()  # groups with more due notices than one message holds
        self._done: list[int] = []
        self._failed: list[tuple[int, int, str]] = []
        self._dead: list[tuple[int, str]] = []
        self._resumed = False

    def wake(self) -> None:
        """Let `run` read the outbox now; call it after a commit with notices, from any thread."""
        self._wake_event.set()

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set, then finish for at most 10 seconds."""
        while not stop.is_set():
            deadline = time.monotonic() + self._try_step()
            while (
                not stop.is_set()
                and not self._wake_event.is_set()
                and (remaining := deadline - time.monotonic()) > 0
            ):
                self._sleep(min(remaining, 0.1))
            self._wake_event.clear()
        deadline = time.monotonic() + GRACE
        while (self._try_step() == 0 or self._busy) and time.monotonic() < deadline:
            self._sleep(0.02)
        self.close()

    def step(self, now: int) -> float:
        """Send notices due at `now`, microseconds UTC; return the seconds until the next step.

        It waits a quarter of a second for results; later results are settled by a later step.
        """
        self._collect(now)
        if not self._resumed:
            self._resume(now)
            self._resumed = True
        # Notices in flight are still due in the outbox, and must not hide others.
        most = MAX_NOTICES + sum(map(len, self._in_flight.values()))
        page = self._outbox.due(now, most)
        is_full = len(page) >= most
        has_more, until = False, now + int(POLL * SECOND)
        for channel, notices in self._by_channel(page).items():
            worker = self._workers.get(channel)
            if worker is None:
                reason = "the file of notifications no longer has this channel"
                self._give_up(channel, [notice.id for notice in notices], reason)
            elif worker.busy:
                if is_full:  # or they would hide those of other channels
                    self._delay(notices, now + 2 * SECOND)
            elif (paused_until := self._paused_until.get(channel, 0)) > now:
                self._delay(notices, min(paused_until, now + int(3600 * SECOND)))
                until = min(until, paused_until)
            else:
                messages, delayed_until = self._plan(channel, notices, now, is_full=is_full)
                until = min(until, delayed_until or until)
                has_more = has_more or len(messages) > MESSAGES_PER_JOB
                if messages:
                    self._in_flight[channel] |= {n.id for m in messages[:MESSAGES_PER_JOB] for n in m.notices}
                    worker.send(messages[:MESSAGES_PER_JOB])
        self._settle()
        self._wait(now)
        if self._busy:
            return PATIENCE
        return 0.0 if has_more or is_full else max(until - now, 0) / SECOND

    def close(self) -> None:
        """End the channels' threads; messages in flight are sent again by the next run."""
        for worker in self._workers.values():
            worker.close(0 if worker.busy else 1.0)

    @property
    def _busy(self) -> bool:
        return any(worker.busy for worker in self._workers.values())

    def _try_step(self) -> float:
        """Make a step; errors of the outbox are logged and retried."""
        try:
            return self.step(self._clock())
        except Exception as error:
            logging.getLogger("tallystick").warning(
                "Notifications wait: %s", clean(f"{type(error).__name__}: {error}")
            )
            return OUTBOX_RETRY

    def _wait_for_wake(self, seconds: float) -> None:
        self._wake_event.wait(seconds)

    def _on_event(self, channel: str, message: Message | None, failure: Failure) -> None:
        """Queue an event of a worker; called by its thread."""
        self._events.put((channel, message, failure))
        self._wake_event.set()

    def _by_channel(self, page: Sequence[Notice]) -> dict[str, list[Notice]]:
        by_channel: dict[str, list[Notice]] = {}
        none: set[int] = set()
        for notice in sorted(page, key=lambda item: item.id):
            if notice.id not in self._in_flight.get(notice.channel, none):
                by_channel.setdefault(notice.channel, []).append(notice)
        return by_channel

    def _plan(
        self, channel: str, notices: Sequence[Notice], now: int, *, is_full: bool
    ) -> tuple[list[Message], int]:
        """Return messages to send now, oldest first, and the earliest time of the delayed ones."""
        rules: dict[str, list[Notice]] = {}
        for notice in notices:
            rules.setdefault(str(notice.payload.get("notice", "")), []).append(notice)
        messages: list[Message] = []
        soonest = 0
        for rule, due in rules.items():
            key = (channel, rule)
            parts, until = self._limiter(key).plan(due, now)
            if until:
                self._delay(due, until)
                soonest = min(soonest or until, until)
            if is_full:
                self._incomplete.add(key)
            else:
                self._incomplete.discard(key)
            messages += [Message(self._source, channel, rule, part) for part in parts]
        messages.sort(key=lambda message: message.notices[0].id)
        return messages, soonest

    def _limiter(self, key: _Key) -> RateLimiter:
        """Return the rate limiter of a rule; one without limits if the file no longer has the rule."""
        return self._limiters.get(key) or RateLimiter()

    def _delay(self, notices: Sequence[Notice], until: int) -> None:
        self._failed += [(notice.id, until, "") for notice in notices]

    def _give_up(self, channel: str, ids: Sequence[int], reason: str) -> None:
        self._dead += [(id_, reason) for id_ in ids]
        self._counts(channel)["dead"] += len(ids)
        text = "%d notices for %s will not be sent; they are kept, with the reason: %s"
        logging.getLogger("tallystick").warning(text, len(ids), channel, reason)

    def _counts(self, channel: str) -> dict[str, int]:
        return self.counts.setdefault(channel, {"sent": 0, "failed": 0, "dead": 0})

    def _wait(self, now: int) -> None:
        """Wait shortly for the results of this step, and settle them."""
        deadline = time.monotonic() + PATIENCE
        while self._busy and (remaining := deadline - time.monotonic()) > 0:
            try:
                self._record(*self._events.get(timeout=remaining), now)
            except Empty:
                break
        self._collect(now)

    def _collect(self, now: int) -> None:
        """Settle the results that workers reported."""
        while True:
            try:
                self._record(*self._events.get_nowait(), now)
            except Empty:
                break
        self._settle()

    def _record(self, channel: str, message: Message | None, failure: Failure, now: int) -> None:
        """Record the result of a message for the next settling."""
        if message is None:
            self._workers[channel].busy = False
        elif failure is None:
            self._done += [notice.id for notice in message.notices]
            self._counts(channel)["sent"] += message.count
            self._failures_in_row.pop(channel, None)
            self._paused_until.pop(channel, None)
            key = (channel, message.rule)
            if key not in self._incomplete:
                self._limiter(key).sent(now)
        elif isinstance(failure, RefusedError):
            self._give_up(channel, [notice.id for notice in message.notices], failure.message)
        else:
            self._fail(channel, message, failure.message, failure.pause, now)

    def _fail(self, channel: str, message: Message, reason: str, pause: float, now: int) -> None:
        count = self._failures_in_row[channel] = self._failures_in_row.get(channel, 0) + 1
        retry_after = max(pause, back_off(max(notice.tries for notice in message.notices) + 1))
        # The channel pauses until then; the failed notices wait at least as long.
        channel_pause = min(retry_after, max(pause, back_off(count, most=MAX_CHANNEL_PAUSE)))
        self._paused_until[channel] = now + int(channel_pause * SECOND)
        retry_at = now + int(retry_after * SECOND)
        self._counts(channel)["failed"] += 1
        expired = []
        for notice in message.notices:
            is_expired = now - notice.created >= MAX_AGE and notice.tries + 1 >= MIN_TRIES
            if is_expired:
                expired.append(notice.id)
            else:
                self._failed.append((notice.id, retry_at, reason))
        if expired:
            self._give_up(channel, expired, reason)
        if count == 1:
            logging.getLogger("tallystick").warning("%s is tried again: %s", channel, reason)

    def _settle(self) -> None:
        """Write results to the outbox; they are kept here until that succeeds."""
        while self._done or self._failed or self._dead:
            done, failed, dead = (
                self._done[:SETTLE_BATCH],
                self._failed[:SETTLE_BATCH],
                self._dead[:SETTLE_BATCH],
            )
            self._outbox.settle(done=done, failed=failed, dead=dead)
            settled = {*done, *(id_ for id_, *_ in failed), *(id_ for id_, _ in dead)}
            for ids in self._in_flight.values():
                ids -= settled
            del self._done[:SETTLE_BATCH], self._failed[:SETTLE_BATCH], self._dead[:SETTLE_BATCH]
        for name, worker in self._workers.items():
            if not worker.busy:  # messages after a failure were not tried
                self._in_flight[name].clear()

    def _resume(self, now: int) -> None:
        """Restore the waiting time of rules with delayed notices from the outbox."""
        horizon = max((limiter.horizon for limiter in self._limiters.values()), default=0)
        if not horizon:
            return
        ready = {notice.id for notice in self._outbox.due(now, MAX_NOTICES)}

        def delayed_keys(at: int) -> set[_Key]:
            delayed = [notice for notice in self._outbox.due(at, MAX_NOTICES) if notice.id not in ready]
            return {(notice.channel, str(notice.payload.get("notice", ""))) for notice in delayed}

        for key in delayed_keys(now + horizon):
            limiter = self._limiters.get(key)
            low, high = now, now + (limiter.horizon if limiter else 0)
            if limiter is None or low == high or key not in delayed_keys(high):
                continue
            while high - low > SECOND:
                middle = (low + high) // 2
                low, high = (low, middle) if key in delayed_keys(middle) else (middle, high)
            limiter.wait(high)


def _to_stderr(line: str) -> None:
    sys.stderr.write(line + "\n")
    sys.stderr.flush()
