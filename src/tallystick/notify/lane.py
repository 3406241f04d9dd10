"""Worker thread of a channel, so that a slow or dead channel delays no other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from tallystick.notify.channel import Channel, RefusedError, Say, TryLaterError
from tallystick.notify.message import Message
from tallystick.notify.payload import clean

__all__ = ["Lane", "Outcome"]

#: What came of a message: None where it went out.
Outcome = TryLaterError | RefusedError | None


class Lane:
    """Sends messages of one channel in their order, until one does not get through.

    told: hears of each message what came of it, and (None, None) when a job is done with; what comes behind
    a failure is not tried. A channel that waits for nobody is served at once, without a thread.
    """

    def __init__(
        self, channel: Channel, say: Say, told: Callable[[str, Message | None, Outcome], None]
    ) -> None:
        self.channel = channel
        self.busy = False
        self._say, self._told = say, told
        self._jobs: SimpleQueue[Sequence[Message] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._ended = False

    def send(self, messages: Sequence[Message]) -> None:
        """Take a job; only while not busy. Whoever is told takes `busy` back."""
        self.busy = True
        if not self.channel.waits:
            self._do(messages)
            return
        if self._thread is None:
            # A daemon: a server that gives no answer must not keep the process from ending.
            name = f"notify {self.channel.name}"
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._thread.start()
        self._jobs.put(messages)

    def close(self, patience: float) -> None:
        """End the thread after the message that it is at; wait so many seconds for that."""
        self._ended = True
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(patience)
            self._thread = None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._do(job)

    def _do(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if self._ended:
                break
            outcome = self._attempt(message)
            self._told(self.channel.name, message, outcome)
            if isinstance(outcome, TryLaterError):
                break
        self._told(self.channel.name, None, None)

    def _attempt(self, message: Message) -> Outcome:
        try:
            self.channel.send(message, self._say)
        except (TryLaterError, RefusedError) as error:
            return error
        except Exception as error:  # whatever it is, the notice is kept
            logging.getLogger("tallystick").debug("unexpected, in a notification", exc_info=True)
            return TryLaterError(clean(f"{type(error).__name__}: {error}"))
        return None
