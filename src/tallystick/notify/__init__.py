"""Notify: who hears of what, and how it gets there."""

from tallystick.notify.message import Message
from tallystick.notify.notifier import Notifier
from tallystick.notify.notify import Notify
from tallystick.notify.outbox import Notice, Outbox

__all__ = ["Message", "Notice", "Notifier", "Notify", "Outbox"]
