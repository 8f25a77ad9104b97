"""Sphinx reads this (hil_tests/docs/__main__.py calls it)."""

project = "Chargekeeper"
extensions = ["myst_parser"]
root_doc = "README"
html_theme = "furo"
html_show_copyright = False
myst_heading_anchors = 6
suppress_warnings = ["myst.header", "misc.highlighting_failure"]
