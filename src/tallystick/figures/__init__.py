"""Figures: report to Plotly figure and to one HTML page, as pure functions. No figure computes a metric."""

from tallystick.figures.analysis_page import analysis_page
from tallystick.figures.blocks import Chart, Details, Section, Table, Text
from tallystick.figures.confusion import confusion_matrix
from tallystick.figures.counts import count_bars
from tallystick.figures.coverage import accuracy_against_coverage
from tallystick.figures.evaluation_page import evaluation_page
from tallystick.figures.event_page import event_page
from tallystick.figures.headline import headline_figures
from tallystick.figures.page import page
from tallystick.figures.per_class import class_figures
from tallystick.figures.reliability import reliability_diagram
from tallystick.figures.scores import score_histogram
from tallystick.figures.words import outcome

__all__ = [
    "Chart",
    "Details",
    "Section",
    "Table",
    "Text",
    "accuracy_against_coverage",
    "analysis_page",
    "class_figures",
    "confusion_matrix",
    "count_bars",
    "evaluation_page",
    "event_page",
    "headline_figures",
    "outcome",
    "page",
    "reliability_diagram",
    "score_histogram",
]
