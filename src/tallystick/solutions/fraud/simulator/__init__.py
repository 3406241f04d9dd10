"""Payments like a bank's own that are nobody's: of any number, the same for the same seed everywhere."""

from tallystick.solutions.fraud.simulator.preset import PRESETS
from tallystick.solutions.fraud.simulator.prototype import Reachable, posterior, reachable
from tallystick.solutions.fraud.simulator.simulate import notes, simulate

__all__ = ["PRESETS", "Reachable", "notes", "posterior", "reachable", "simulate"]
