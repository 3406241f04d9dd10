"""Trained models as folders of plain files, the scores they give and how sure those are."""

from tallystick.models.bundle import Bundle, load, save, writable
from tallystick.models.calibration import Calibration, Decided, cross_calibrate, fit_calibration
from tallystick.models.card import FIGURES, render_card
from tallystick.models.linear import LinearModel, probabilities

__all__ = [
    "FIGURES",
    "Bundle",
    "Calibration",
    "Decided",
    "LinearModel",
    "cross_calibrate",
    "fit_calibration",
    "load",
    "probabilities",
    "render_card",
    "save",
    "writable",
]
