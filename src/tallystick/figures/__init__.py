"""Figures: sections of a report to Plotly figures and one HTML page. No figure computes a metric."""

from tallystick.figures.analysis_page import analysis_page
from tallystick.figures.charts import CHARTS, draw
from tallystick.figures.page import page
from tallystick.figures.stream_page import stream_page

__all__ = ["CHARTS", "analysis_page", "draw", "page", "stream_page"]
