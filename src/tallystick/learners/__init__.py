"""Ways to fit, one a file, each found by itself; all end as a model that is scored without its library."""

from tallystick.learners.base import TABLE, TEXT, Learner, Sample, refuse_unless

__all__ = ["TABLE", "TEXT", "Learner", "Sample", "refuse_unless"]
