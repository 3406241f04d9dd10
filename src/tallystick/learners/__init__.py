"""Ways to fit a model, one a file, each found by its file name."""

from tallystick.learners.base import LAYOUTS, TARGETS, Learner, Sample, refuse_unless

__all__ = ["LAYOUTS", "TARGETS", "Learner", "Sample", "refuse_unless"]
