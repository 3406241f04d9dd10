"""Rules that people write: rules beside a model, and routing to departments."""

from tallystick.rules.routing import ROUTE, Routing
from tallystick.rules.rules import Rules, combine

__all__ = ["ROUTE", "Routing", "Rules", "combine"]
