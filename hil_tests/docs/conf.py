"""Settings of Sphinx, which hil_tests/docs/__main__.py runs."""

project = "Chargekeeper"
extensions = ["myst_parser"]
root_doc = "README"
html_theme = "furo"
html_show_copyright = False
myst_heading_anchors = 6
suppress_warnings = ["myst.header", "misc.highlighting_failure"]
