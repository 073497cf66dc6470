"""A session's result as a report: one HTML file to read offline, print and send; and its timeline as a table."""

from services.fusion.report.csv import render_csv
from services.fusion.report.html import render_html

__all__ = ["render_csv", "render_html"]
