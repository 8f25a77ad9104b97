"""The version of the bridge, which is the product's: pyproject.toml has the same, held by a test."""

VERSION = "0.1.0"
