"""Ways to fit, one a file, each found by itself; all end as a model that is scored without scikit-learn."""

from tallystick.learners.base import Learner, Sample

__all__ = ["Learner", "Sample"]
