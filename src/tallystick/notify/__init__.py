"""Notifications: rules, channels and delivery."""

from tallystick.notify.message import Message
from tallystick.notify.notifier import Notifier
from tallystick.notify.notify import Notify
from tallystick.notify.outbox import Notice, Outbox

__all__ = ["Message", "Notice", "Notifier", "Notify", "Outbox"]
