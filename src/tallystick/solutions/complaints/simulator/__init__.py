"""Letters like a bank's own that are nobody's: of any size, the same for the same seed on every machine."""

from tallystick.solutions.complaints.simulator.records import PRESETS, simulate

__all__ = ["PRESETS", "simulate"]
