"""A session's result as a report: one HTML file to read offline, print and send; and its timeline as a table."""

from services.fusion.report.csv import render_csv
from services.fusion.report.html import WIDTH, render_html

__all__ = ["WIDTH", "render_csv", "render_html"]
