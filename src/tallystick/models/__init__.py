"""Trained models as folders of plain files, the scores they give and how sure those are."""

from tallystick.models.base import Model, load_model
from tallystick.models.bundle import Bundle, load, save, writable
from tallystick.models.calibration import Calibration, Decided, cross_calibrate, fit_calibration
from tallystick.models.event_calibration import EventCalibration
from tallystick.models.linear import LinearModel, probabilities
from tallystick.models.rank_calibration import RankCalibration
from tallystick.models.sufficiency import Sufficiency, fit_sufficiency, weighed
from tallystick.models.training_rows import TrainingRows
from tallystick.models.trees import Trees

__all__ = [
    "Bundle",
    "Calibration",
    "Decided",
    "EventCalibration",
    "LinearModel",
    "Model",
    "RankCalibration",
    "Sufficiency",
    "TrainingRows",
    "Trees",
    "cross_calibrate",
    "fit_calibration",
    "fit_sufficiency",
    "load",
    "load_model",
    "probabilities",
    "save",
    "weighed",
    "writable",
]
