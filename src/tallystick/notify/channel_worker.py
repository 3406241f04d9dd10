"""Worker thread of a channel, so that a slow or dead channel delays no other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from tallystick.notify.channel import Channel, PrintLine, RefusedError, TryLaterError
from tallystick.notify.message import Message
from tallystick.notify.payload import clean

__all__ = ["ChannelWorker", "Failure"]

#: Why a message was not sent; None if it was.
Failure = TryLaterError | RefusedError | None


class ChannelWorker:
    """Sends the messages of one channel in order, until one fails.

    on_event: called with each message and its failure, and with (None, None) at the end of a job; messages
    after a failure are not tried. A channel that does not block is served without a thread.
    """

    def __init__(
        self,
        channel: Channel,
        print_line: PrintLine,
        on_event: Callable[[str, Message | None, Failure], None],
    ) -> None:
        self.channel = channel
        self.busy = False
        self._say, self._on_event = print_line, on_event
        self._jobs: SimpleQueue[Sequence[Message] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = False

    def send(self, messages: Sequence[Message]) -> None:
        """Take a job; only while not busy. `on_event` resets `busy`."""
        self.busy = True
        if not self.channel.blocking:
            self._send_all(messages)
            return
        if self._thread is None:
            # A daemon: a server that does not answer must not keep the process alive.
            name = f"notify {self.channel.name}"
            self._thread = threading.Thread(target=self._work, name=name, daemon=True)
            self._thread.start()
        self._jobs.put(messages)

    def close(self, patience: float) -> None:
        """End the thread after its current message; wait up to `patience` seconds."""
        self._closed = True
        if self._thread is not None:
            self._jobs.put(None)
            self._thread.join(patience)
            self._thread = None

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._send_all(job)

    def _send_all(self, messages: Sequence[Message]) -> None:
        for message in messages:
            if self._closed:
                break
            failure = self._attempt(message)
            self._on_event(self.channel.name, message, failure)
            if isinstance(failure, TryLaterError):
                break
        self._on_event(self.channel.name, None, None)

    def _attempt(self, message: Message) -> Failure:
        try:
            self.channel.send(message, self._say)
        except (TryLaterError, RefusedError) as error:
            return error
        except Exception as error:  # the notice is retried, whatever the cause
            logging.getLogger("tallystick").debug("unexpected error in a notification", exc_info=True)
            return TryLaterError(clean(f"{type(error).__name__}: {error}"))
        return None
